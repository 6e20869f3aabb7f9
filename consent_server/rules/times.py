"""Times: always UTC, always milliseconds, one spelling."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from consent_server.errors import ConsentError

#: RFC 3339 date-time; stricter than `datetime.fromisoformat`, which takes "20260101".
_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,12})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


class NotATime(ConsentError):
    """Text that is no RFC 3339 date-time, or a time without a zone."""

    status, code, title = 422, "not_a_time", "Not a time"


def to_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC, cut to milliseconds; refuses a naive one."""
    if moment.tzinfo is UTC and not moment.microsecond % 1000:
        return moment  # as nearly every one is that is written: this is asked often
    if moment.tzinfo is None:
        raise NotATime("A time without a zone cannot be recorded.")
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def spell_time(moment: datetime) -> str:
    """Return e.g. `2026-11-22T16:47:00.123Z`."""
    # This is asked of every record several times: most moments are in UTC already.
    utc = moment if moment.tzinfo is UTC else to_utc(moment)
    return f"{utc.isoformat(timespec='milliseconds')[:-6]}Z"


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 date-time; raises NotATime."""
    if not _RFC3339.fullmatch(text):
        raise NotATime("Expected an RFC 3339 date-time such as 2026-11-22T16:47:00.123Z.")
    try:
        return to_utc(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError) as error:
        raise NotATime(f"{text!r} is not a real date and time.") from error
