"""Beginning anew while a server seals: nothing more is signed under the name that ended."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from consent_server.sealing import Sealed, begin_anew, seal_waiting
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from tests.visitor import Visitor

from .sealed import Seal


def test_a_server_that_waited_to_seal_signs_under_the_new_name(
    visitor: Visitor, store: Database, empty_url: str, seal: Seal, signer: Signer
) -> None:
    visitor.accept_all()
    seal()
    visitor.withdraw()
    other = Database(empty_url)
    sealed: list[Sealed] = []

    def seal_there() -> None:
        sealed.extend(seal_waiting(other, signer, now=datetime.now(UTC)))

    sealing = threading.Thread(target=seal_there)
    with store.write() as session:
        site = find_site(session, "smilee")
        now = datetime.now(UTC)
        origin = begin_anew(session, site, actor="tests", reason="a loss", now=now).origin
        session.flush()
        sealing.start()
        sealing.join(1)
    sealing.join(20)
    # What it did not see yet is sealed in the next round.
    sealed += seal()
    other.close()
    assert {one.published.origin for one in sealed} == {origin}
