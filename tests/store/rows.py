"""Rows: one in every table, for tests that try to change them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from consent_server.store.models import (
    AdminEvent,
    Answer,
    Base,
    Checkpoint,
    ConsentEvent,
    Cosignature,
    HandOver,
    Lease,
    Ledger,
    LedgerLeaf,
    LedgerNode,
    LedgerQueue,
    NoticeCount,
    Site,
    SiteScript,
    SiteVersion,
    SubjectData,
    VersionPicture,
)
from consent_server.store.outside_models import (
    CheckpointPush,
    Identity,
    Webhook,
    WebhookDelivery,
    Witnessed,
)

NOW = datetime(2026, 11, 22, 16, 47, tzinfo=UTC)
EVENT_ID = UUID("7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001")


def add_one_row_each(session: Session) -> None:
    """Fill every table."""
    site = Site(key="site", name="Site", created_at=NOW, current_version=1)
    session.add(site)
    session.flush()
    session.add_all(
        [
            SiteVersion(
                site_id=site.id,
                number=1,
                config="{}",
                config_hash="a" * 64,
                material_hash="b" * 64,
                material_since=1,
                source="",
                published_at=NOW,
                published_by="tests",
            ),
            SiteScript(
                site_id=site.id,
                script_hash="c" * 64,
                script_id="d" * 16,
                version=1,
                body=b"",
                first_served_at=NOW,
            ),
            ConsentEvent(
                site_id=site.id,
                event_id=EVENT_ID,
                answer_number=1,
                region="",
                signals={},
                decided_at=NOW,
                received_at=NOW,
                valid_until=NOW,
                subject_commitment=bytes(32),
            ),
            Answer(
                site_id=site.id,
                number=1,
                digest=bytes(32),
                version=1,
                kind="given",
                method="accept_all",
                layer="notice",
                script_hash="c" * 64,
                language="en",
                regime="opt_in",
                grants={"analytics": True},
            ),
            SubjectData(site_id=site.id, event_id=EVENT_ID, subject_key=bytes(32), salt=bytes(32)),
            *_ledger_rows(site.id),
            NoticeCount(
                site_id=site.id,
                day=date(2026, 11, 22),
                version=1,
                language="en",
                regime="opt_in",
                shown=0,
                accepted=1,
                refused=0,
                saved=0,
                withdrawn=0,
            ),
        ]
    )


def _ledger_rows(site_id: int) -> list[Base]:
    """Return a row for each table of the sealed ledger and its jobs."""
    one = bytes(32)
    return [
        AdminEvent(
            site_id=site_id,
            event_id=EVENT_ID,
            action="publish",
            actor="tests",
            details="{}",
            happened_at=NOW,
            leaf_hash=one,
        ),
        LedgerQueue(site_id=site_id, received_at=NOW, event_id=EVENT_ID, leaf_hash=one),
        Ledger(site_id=site_id, number=1, origin="example.com/ledger/1", opened_at=NOW),
        LedgerLeaf(site_id=site_id, leaf_index=0, event_id=EVENT_ID, leaf_hash=one),
        LedgerNode(site_id=site_id, level=8, node_index=0, hash=one),
        Checkpoint(
            site_id=site_id,
            size=1,
            root=one,
            frontier=one,
            note="",
            key_id="00000000",
            sealed_at=NOW,
        ),
        Cosignature(
            site_id=site_id, size=1, key_id="00000000", name="witness", line="", received_at=NOW
        ),
        CheckpointPush(site_id=site_id, target="file:/x", size=1, pushed_at=NOW),
        Witnessed(origin="example.org/log", size=1, root=one, note="", cosigned_at=NOW),
        Webhook(
            site_id=site_id, url="https://a", every_decision=False, generation=1, rotated_at=NOW
        ),
        WebhookDelivery(
            site_id=site_id,
            delivery_id=EVENT_ID,
            subject_key=one,
            body="{}",
            made_at=NOW,
            due_at=NOW,
            attempts=0,
            said="",
        ),
        Identity(site_id=site_id, ref_key=one, subject_key=one, linked_at=NOW),
        HandOver(
            site_id=site_id, token_hash=one, event_id=EVENT_ID, target="https://a", expires_at=NOW
        ),
        Lease(name="job", holder="me", expires_at=NOW),
        VersionPicture(
            site_id=site_id,
            version=1,
            language="en",
            part="notice",
            viewport="mobile",
            sha256="a" * 64,
            body=b"",
            taken_at=NOW,
        ),
    ]
