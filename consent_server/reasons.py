"""Reasons: why an administrator did what cannot be undone; the ledger keeps it for ever."""

from __future__ import annotations

import re
from typing import Final

from consent_server.errors import Conflict

#: Characters.
MAX_REASON: Final = 200
_UNREADABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def read_reason(reason: str, question: str) -> str:
    """Return a reason as it is kept; raises Conflict for none, a long one, control characters.

    `question` asks for it: "Say why ...".
    """
    reason = reason.strip()
    if not reason:
        raise Conflict(f"{question}: the ledger keeps the reason.")
    if len(reason) > MAX_REASON:
        raise Conflict(
            f"The reason has {len(reason)} characters, and may have {MAX_REASON}. Say it in fewer."
        )
    if _UNREADABLE.search(reason):
        raise Conflict("The reason is kept as it is: leave control characters out of it.")
    return reason
