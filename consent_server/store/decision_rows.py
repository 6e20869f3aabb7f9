"""Decision rows: what one decision asks of the database, and what it leaves there."""

from __future__ import annotations

from consent_server.store.driver import Find, Insert
from consent_server.store.models import ConsentEvent, LedgerQueue, SubjectData

find_events = Find(ConsentEvent.event_id)
find_subjects = Find(SubjectData.subject_key)
insert_events = Insert(
    ConsentEvent,
    *("decided_at", "received_at", "valid_until", "site_id", "answer_number", "event_id"),
    *("subject_commitment", "region", "signals"),
)
insert_links = Insert(SubjectData, "site_id", "event_id", "subject_key", "salt")
insert_waiting = Insert(LedgerQueue, "site_id", "received_at", "event_id", "leaf_hash")
