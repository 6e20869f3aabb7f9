"""Tables of what leaves for other servers, of what comes from them, and of who signs in there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from consent_server.store.models import Base
from consent_server.store.types import UtcTime


class Webhook(Base):
    """Where a site's own server is told of decisions."""

    __tablename__ = "webhook"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(String(300))
    #: Also of first answers, which that server sees in the cookie anyway.
    every_decision: Mapped[bool] = mapped_column(Boolean)
    #: Of the secret, which is made from it; raised by each rotation.
    generation: Mapped[int] = mapped_column(Integer)
    rotated_at: Mapped[datetime] = mapped_column(UtcTime)


class Identity(Base):
    """That a subject is one of those of a person who signed in; the person is a keyed hash."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "site_id", "subject_key"),)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ref_key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject_key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    linked_at: Mapped[datetime] = mapped_column(UtcTime)


class WebhookDelivery(Base):
    """What a site's server does not have yet: written with the event, gone once it arrived."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index(None, "due_at"),)

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Whose it is, so that erasing the visitor takes it away.
    subject_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    #: JSON, as it is signed and sent each time.
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime, nullable=True)
    attempts: Mapped[int] = mapped_column(Integer)
    #: What the other side said last; empty before the first attempt.
    said: Mapped[str] = mapped_column(Text)


class CheckpointPush(Base):
    """How far each place outside knows the ledger."""

    __tablename__ = "checkpoint_push"

    site_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    target: Mapped[str] = mapped_column(String(300), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    pushed_at: Mapped[datetime] = mapped_column(UtcTime)


class Witnessed(Base):
    """The last checkpoint of somebody else's log that this server cosigned."""

    __tablename__ = "witnessed"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    cosigned_at: Mapped[datetime] = mapped_column(UtcTime)
