"""Tables. Every key starts with the site; nothing cascades into the ledger."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    and_,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, foreign, mapped_column, relationship

from consent_server.errors import Unavailable
from consent_server.store.types import ShortTime, ShortUuid, SparseJson, UtcTime

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Common metadata; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(naming_convention=_NAMING)


class Site(Base):
    """One website under one configuration; its key is public."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(Text)
    #: The published version that visitors are shown; 0 before the first.
    current_version: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcTime, nullable=True)


class SiteVersion(Base):
    """A published snapshot, every text included; triggers refuse change."""

    __tablename__ = "site_version"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: Canonical JSON (RFC 8785) as text: its SHA-256 is `config_hash`.
    config: Mapped[str] = mapped_column(Text)
    config_hash: Mapped[str] = mapped_column(String(64))
    #: Covers what visitors decide on, not wording or colours.
    material_hash: Mapped[str] = mapped_column(String(64))
    #: The version since which visitors must have been asked.
    material_since: Mapped[int] = mapped_column(Integer)
    #: The site file as it was applied, so that the owner can have it back.
    source: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UtcTime)
    published_by: Mapped[str] = mapped_column(Text)


class SiteScript(Base):
    """Each script that was ever served for a version, with its bytes."""

    __tablename__ = "site_script"
    __table_args__ = (UniqueConstraint("site_id", "script_id"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True)
    script_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Short name that the script knows itself by (it cannot hold its own hash).
    script_id: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    #: By which rule it asks.
    regime: Mapped[str] = mapped_column(String(16), server_default="opt_in")
    #: The signal that it was told of with the request; empty for none.
    signal: Mapped[str] = mapped_column(String(8), server_default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    first_served_at: Mapped[datetime] = mapped_column(UtcTime)


class Answer(Base):
    """What many visitors were shown and said alike, once for all of them. Insert only.

    The leaf of each record covers it: who changes it changes them all, and is found.
    """

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("site_id", "digest"),)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: SHA-256 of the columns below; see `store/answers.py`.
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(16))
    method: Mapped[str] = mapped_column(String(16))
    layer: Mapped[str] = mapped_column(String(16))
    script_hash: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(16))
    regime: Mapped[str] = mapped_column(String(16))
    grants: Mapped[dict[str, bool]] = mapped_column(JSON)


class ConsentEvent(Base):
    """One row of the ledger. Insert only: triggers refuse UPDATE and DELETE.

    Its leaf hash stands in `ledger_leaf`, and in `ledger_queue` before it is sealed. Columns
    are ordered as PostgreSQL leaves no gaps between them.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        Index(None, "site_id", "received_at", "event_id"),
        {"sqlite_with_rowid": False},
    )

    decided_at: Mapped[datetime] = mapped_column(ShortTime)
    received_at: Mapped[datetime] = mapped_column(ShortTime)
    valid_until: Mapped[datetime] = mapped_column(ShortTime)
    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    answer_number: Mapped[int] = mapped_column(Integer)
    event_id: Mapped[UUID] = mapped_column(ShortUuid, primary_key=True)
    subject_commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    region: Mapped[str] = mapped_column(String(16))
    signals: Mapped[dict[str, Any]] = mapped_column(SparseJson)

    answer: Mapped[Answer | None] = relationship(
        primaryjoin=lambda: and_(
            foreign(ConsentEvent.site_id) == Answer.site_id,
            foreign(ConsentEvent.answer_number) == Answer.number,
        ),
        lazy="joined",
        viewonly=True,
    )

    @property
    def said(self) -> Answer:
        """What was shown and said; raises Unavailable where it is gone."""
        if self.answer is None:
            raise Unavailable(
                f"The answer {self.answer_number} that records name was taken out of the "
                "database. Restore a backup; `consent-server ledger verify` names the records."
            )
        return self.answer


class SubjectData(Base):
    """The only link from a row to a person; erasure deletes it."""

    __tablename__ = "subject_data"
    # With row ids: without them SQLite takes the key for cheaper than the index, and would read
    # the whole site for one visitor.
    __table_args__ = (Index(None, "site_id", "subject_key"),)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ShortUuid, primary_key=True)
    subject_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))


class AdminEvent(Base):
    """What an administrator did; a leaf like every record. Insert only."""

    __tablename__ = "admin_event"
    __table_args__ = (Index(None, "site_id", "happened_at", "event_id"),)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ShortUuid, primary_key=True)
    action: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(Text)
    #: Canonical JSON (RFC 8785) as text.
    details: Mapped[str] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(UtcTime)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerQueue(Base):
    """What waits to be sealed: written with the event, taken away by the sealer."""

    __tablename__ = "ledger_queue"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy's own form)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(ShortTime, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ShortUuid, primary_key=True)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Ledger(Base):
    """The name under which a site's ledger is signed; the highest number holds."""

    __tablename__ = "ledger"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    origin: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)


class LedgerLeaf(Base):
    """The place of an event in the tree, given when it is sealed."""

    __tablename__ = "ledger_leaf"
    __table_args__ = (UniqueConstraint("site_id", "event_id"), {"sqlite_with_rowid": False})

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ShortUuid)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerNode(Base):
    """The hash of a complete subtree, at every eighth level: proofs read few rows."""

    __tablename__ = "ledger_node"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    node_index: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """A signed root at a size, as it was published."""

    __tablename__ = "checkpoint"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    #: C2SP signed-note, whole; the signatures of witnesses lie beside it.
    note: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(String(8))
    sealed_at: Mapped[datetime] = mapped_column(UtcTime)


class Cosignature(Base):
    """What a witness signed of a checkpoint."""

    __tablename__ = "cosignature"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    #: The signature line with its end, as the witness gave it.
    line: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcTime)


class HandOver(Base):
    """A token that takes a decision to another address of its site; gone once it was used."""

    __tablename__ = "hand_over"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    event_id: Mapped[UUID]
    #: The origin where it is good.
    target: Mapped[str] = mapped_column(String(300))
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class Lease(Base):
    """Which server runs a job now, so that many run it once."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcTime)


class VersionPicture(Base):
    """How a version looked in a browser."""

    __tablename__ = "version_picture"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    language: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: `notice` or `preferences`.
    part: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: `mobile` or `desktop`.
    viewport: Mapped[str] = mapped_column(String(16), primary_key=True)
    regime: Mapped[str] = mapped_column(String(16), primary_key=True, server_default="opt_in")
    sha256: Mapped[str] = mapped_column(String(64))
    #: PNG.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    taken_at: Mapped[datetime] = mapped_column(UtcTime)


class NoticeCount(Base):
    """Totals of a day; no person in it."""

    __tablename__ = "notice_count"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    language: Mapped[str] = mapped_column(String(16), primary_key=True)
    regime: Mapped[str] = mapped_column(String(16), primary_key=True)
    shown: Mapped[int] = mapped_column(Integer, default=0)
    accepted: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    saved: Mapped[int] = mapped_column(Integer, default=0)
    withdrawn: Mapped[int] = mapped_column(Integer, default=0)
