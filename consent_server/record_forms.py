"""Record forms: what the lines of records of one answer have in common, spelled once.

Such records differ in ids, times, hashes and signals. The first of them is read and spelled with
care; its line is then filled in for the others.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from consent_server.audit import COLUMNS, Record, spell_csv, spell_jsonl
from consent_server.ledger import receipt_of_row
from consent_server.rules.receipt import VARYING, Template
from consent_server.store.models import ConsentEvent, Site
from consent_server.store.record_rows import select_records

_MAX_FORMS: Final = 4_096
#: How the signals of most records are kept: they have none.
NO_SIGNALS: Final = ""


class Forms:
    """The lines of a site's records as `csv` or `jsonl`."""

    def __init__(self, session: Session, site: Site, form: str) -> None:
        self._session, self._site, self._is_csv = session, site, form == "csv"
        self._forms: dict[tuple[int, str, bool], Template] = {}
        #: Spells signals as they are kept; most records have those of another.
        self.signals = lru_cache(_MAX_FORMS)(self._spell_signals)

    @property
    def header(self) -> bytes:
        """What comes before the first line."""
        names = dict(zip(COLUMNS, COLUMNS, strict=True))
        return spell_csv(names, is_header=True).encode() if self._is_csv else b""

    @property
    def line_end(self) -> bytes:
        """What each line ends with."""
        return b"\r\n" if self._is_csv else b"\n"

    def of(self, number: int, region: str, event_id: bytes, *, linked: bool) -> Template:
        """Return the form of records with an answer's number; `event_id` is any of them.

        `linked` are those that have their salt. Raises Unavailable where the answer is gone.
        """
        place = (number, region, linked)
        form = self._forms.get(place)
        if form is None:
            if len(self._forms) >= _MAX_FORMS:
                self._forms.clear()
            record = self._read(UUID(bytes=event_id)) | {"salt": None}
            own = [*VARYING, "signals", "leaf_hash", *(["salt"] if linked else [])]
            form = self._forms[place] = Template(self._spell_form, record, own)
        return form

    def line_of(self, event_id: UUID) -> str:
        """Return the line of one record, read with care. Raises Unavailable."""
        return self._spell(self._read(event_id))

    def _read(self, event_id: UUID) -> Record:
        query = select_records().where(
            ConsentEvent.site_id == self._site.id, ConsentEvent.event_id == event_id
        )
        return receipt_of_row(self._session.execute(query).one(), self._site.key)

    def _spell(self, record: Record) -> str:
        return spell_csv(record) if self._is_csv else spell_jsonl(record)

    def _spell_form(self, record: Record) -> str:
        # Signals are an object, which has no quotes round it.
        return self._spell(record).replace(f'"{record["signals"]}"', record["signals"])

    def _spell_signals(self, kept: str) -> str:
        found: dict[str, Any] = {} if kept == NO_SIGNALS else json.loads(kept)
        if self._is_csv:
            return spell_csv({"signals": found}, ("signals",)).removesuffix("\r\n")
        return spell_jsonl(found).removesuffix("\n")
