"""Own record: everything that one visitor may see, take away and change of their own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.errors import NotFound
from consent_server.identifying import is_linked
from consent_server.ledger import ShownVersion
from consent_server.proofs import prove_inclusion, spell_inclusion
from consent_server.rights import decisions_of
from consent_server.rules.decision import grants_for, optional_services
from consent_server.rules.kantara import build_kantara_receipt
from consent_server.rules.linked_receipt import link_receipt
from consent_server.rules.regimes import Regime, running_first
from consent_server.rules.times import parse_time, spell_time
from consent_server.rules.unasked import Unasked, unasked_in, unasked_of
from consent_server.sites import find_site, find_version, read_config
from consent_server.snapshot import Config, known_since
from consent_server.store.models import Site, SiteScript, SiteVersion

Receipt = dict[str, Any]
Proofs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A visitor's receipts on one site, newest first, and what they were shown."""

    site: Site
    current: SiteVersion
    config: Config
    subject_id: str
    receipts: tuple[Receipt, ...]
    #: The snapshot of each version that a receipt names.
    shown: Mapping[int, Config]
    #: Whether the choice follows the visitor to other devices where they sign in.
    is_linked: bool = False

    @property
    def is_asked_again(self) -> bool:
        """Tell whether something that the visitor decides on came after their last decision."""
        return bool(self.receipts) and self.receipts[0]["version"] < self.current.material_since

    def has_run_out(self, now: datetime) -> bool:
        """Tell whether the last decision has lived its days."""
        return bool(self.receipts) and parse_time(self.receipts[0]["valid_until"]) <= now

    @property
    def unasked(self) -> Unasked:
        """Tell how much of what the last decision grants nobody was asked for."""
        return unasked_of(self.receipts[0]) if self.receipts else Unasked.NOTHING

    def holding(
        self, now: datetime, regime: Regime = Regime.OPT_IN, *, unasked: Unasked | None = None
    ) -> dict[str, bool]:
        """Return what is allowed now of what the site asks today.

        Nothing that is new to it, unless the regime lets it run first and nobody refused it;
        and of a decision nothing where less runs unasked than where it was made. `unasked`
        says how much may have run so, where that is not the regime's to say.
        """
        if not self.receipts or self.has_run_out(now):
            return grants_for(self.config, self._running_first(regime, {}))
        last, since = self.receipts[0], known_since(self.config, self.current.material_since)
        said: Mapping[str, bool] = last["grants"]
        counts = self.unasked <= (unasked_in(regime) if unasked is None else unasked)
        allowed = [
            key
            for key, granted in said.items()
            if granted and counts and last["version"] >= since.get(key, 1)
        ]
        return grants_for(self.config, [*allowed, *self._running_first(regime, said)])

    def _running_first(self, regime: Regime, said: Mapping[str, bool]) -> list[str]:
        """Return what runs without an answer, but for what was refused with its category."""
        services = optional_services(self.config)
        return [
            key
            for category in running_first(self.config, regime)
            for key in services[category] or (category,)
            if said.get(key, said.get(category, True))
        ]

    def find_receipt(self, event_id: str) -> Receipt:
        """Return one of the visitor's receipts; raises NotFound."""
        for receipt in self.receipts:
            if receipt["event_id"] == event_id:
                return receipt
        raise NotFound(f"There is no such record on the site {self.site.key!r}.")


def read_own_record(session: Session, site_key: str, subject_id: str) -> OwnRecord:
    """Return the record of one visitor, of a retired site too; raises NotFound for no site.

    A wrong id and an id without records give the same empty record.
    """
    site = find_site(session, site_key)
    current = find_version(session, site, site.current_version)
    receipts = decisions_of(session, site.key, subject_id) if subject_id else []
    numbers = {receipt["version"] for receipt in receipts}
    return OwnRecord(
        site=site,
        current=current,
        config=read_config(current),
        subject_id=subject_id,
        receipts=tuple(receipts),
        shown={number: read_config(find_version(session, site, number)) for number in numbers},
        is_linked=bool(subject_id) and is_linked(session, site, subject_id),
    )


def read_shown_now(session: Session, site: Site, regime: Regime) -> ShownVersion:
    """Return what a decision on the visitor's own page names: the current version.

    Its script is the one of that regime that was served last: the page shows the same words.
    """
    version = find_version(session, site, site.current_version)
    script_hash = session.scalar(
        select(SiteScript.script_hash)
        .where(
            SiteScript.site_id == site.id,
            SiteScript.version == version.number,
            SiteScript.regime == regime,
            SiteScript.signal == "",
        )
        .order_by(SiteScript.first_served_at.desc(), SiteScript.script_hash)
        .limit(1)
    )
    return ShownVersion(
        site_id=site.id,
        site=site.key,
        number=version.number,
        config=read_config(version),
        config_hash=version.config_hash,
        script_hash=script_hash or "",
        regime=regime,
    )


def prove_own_record(session: Session, own: OwnRecord) -> Proofs:
    """Return event id -> proof, for the receipts that are sealed already."""
    found = {}
    for receipt in own.receipts:
        event_id = UUID(receipt["event_id"])
        with suppress(NotFound):
            proof = prove_inclusion(session, own.site, event_id)
            found[receipt["event_id"]] = spell_inclusion(event_id, proof)
    return found


def export_own_record(
    own: OwnRecord, *, base: str, now: datetime, proofs: Proofs
) -> dict[str, Any]:
    """Return all records of a visitor in JSON types, each receipt in every form.

    `base` is the address of the site's public endpoints.
    """
    return {
        "site": own.site.key,
        "subject_id": own.subject_id,
        "taken_at": spell_time(now),
        "signed_in": own.is_linked,
        "note": (
            "`receipt` is the record as the ledger holds it. The other forms are aligned "
            "with ISO/IEC TS 27560:2023 and Kantara v1.1; nobody certified them."
        ),
        "records": [_in_every_form(own, receipt, base, proofs) for receipt in own.receipts],
    }


def _in_every_form(own: OwnRecord, receipt: Receipt, base: str, proofs: Proofs) -> dict[str, Any]:
    config, proof = own.shown[receipt["version"]], proofs.get(receipt["event_id"])
    options: dict[str, Any] = {"subject_id": own.subject_id, "base": base, "proof": proof}
    return {
        "receipt": receipt,
        "proof": proof,
        "iso_27560_dpv": link_receipt(receipt, config, **options),
        "kantara_1_1": build_kantara_receipt(receipt, config, **options),
    }
