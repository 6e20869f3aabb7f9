"""Patroni: primaries end and hang, etcd's leader ends, under load; nothing acknowledged is lost.

    python -m pytest -m soak tests/soak/test_patroni.py

Two servers of ours behind nginx, all configured by the files in `deploy/patroni`.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from consent_server.cli.demo_sites import publish_demo_sites
from consent_server.cli.opening import prepare_database
from consent_server.config import Settings
from tests.browser.browsers import Browsers
from tests.browser.running_server import UNLIMITED, RunningServer
from tests.browser.sites import SITES
from tests.browser.trackers import running_trackers
from tests.browser.visit import Visit
from tests.cli.nginx import running_nginx, shipped_parts
from tests.cli.serving import Serving
from tests.cli.serving import serving as running
from tests.cli.test_killed import audit, read_template
from tests.cli.test_run import free_port
from tests.store.postgresql import find_program

from .patroni_cluster import DEPLOY, PatroniCluster, missing_packages, running_cluster
from .soak_log import SoakLog
from .writers import Load

pytestmark = pytest.mark.soak

WRITERS = 16
PAUSE_SECONDS = 0.05
SITE = SITES["smilee"]
#: What must be over by then: an election, a rewind, a second election.
_RECOVERY_SECONDS = 120.0
_DELIVERY_SECONDS = 120.0


@dataclass
class Pages:
    """Asks for the script again and again, as pages do."""

    port: int
    #: When each was asked for (monotonic seconds), and how long it took.
    took: list[tuple[float, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join(60)

    def tell(self, since: float = 0.0) -> str:
        """Say how long those took that were asked for since then."""
        took = sorted(one for at, one in self.took if at >= since)
        return (
            f"{len(took)} scripts: half within {took[len(took) // 2] * 1000:.0f} ms, 99 of 100 "
            f"within {took[len(took) * 99 // 100] * 1000:.0f}, all within {took[-1] * 1000:.0f}"
        )

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            began = time.monotonic()
            try:
                url = f"http://127.0.0.1:{self.port}/w/smilee.js"
                with urllib.request.urlopen(url, timeout=30) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                self.failed.append(str(error.code))
            except OSError as error:
                self.failed.append(str(error))
            self.took.append((began, time.monotonic() - began))


@contextmanager
def front(ports: tuple[int, int]) -> Iterator[int]:
    """nginx as it ships, with the upstream of this set-up; the demo's pages pass, too."""
    http_part, places = shipped_parts()
    before, _, rest = http_part.partition("upstream consent_server {")
    upstream = (DEPLOY / "upstream.conf").read_text("utf-8")
    for number, port in enumerate(ports, 1):
        written = f"10.0.0.2{number}:8000"
        assert written in upstream
        upstream = upstream.replace(written, f"127.0.0.1:{port}")
    # The demo's pages have an origin with a port.
    places = places.replace("Host $host;", "Host $http_host;")
    # All clients have one address here.
    limit = "limit_req zone=consent_writes burst=60 nodelay;"
    assert limit in places
    places = places.replace(limit, "")
    demo = "location / { proxy_pass http://consent_server; proxy_set_header Host $http_host; }"
    servers = f"{before}{upstream}{rest.partition('}')[2]}"
    servers += f"server {{ listen 127.0.0.1:%d; {places} {demo} }}"
    with running_nginx(servers) as port:
        yield port


@contextmanager
def two_servers(
    cluster: PatroniCluster, folder: Path, ports: tuple[int, int], public: int
) -> Iterator[tuple[list[Serving], RunningServer]]:
    """Two servers of ours, and what runs commands with their settings."""
    settings = {
        "CONSENT_DATABASE_URL": cluster.url,
        "CONSENT_KEY_FOLDER": str(folder / "keys"),
        "CONSENT_TRUSTED_PROXIES": "1",
        "CONSENT_DEMO": "true",
        **UNLIMITED,
    }
    prepared = Settings(database_url=cluster.url, port=public)
    prepare_database(prepared)
    publish_demo_sites(prepared)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                running("run", environment={**kept, **settings}, folder=folder, port=port)
            )
            for port in ports
        ]
        yield servers, RunningServer(folder, port=public, settings=settings)


class Visitors:
    """People with a browser, some of whom decide while the database is away."""

    def __init__(self, browsers: Browsers, server: RunningServer, log: SoakLog) -> None:
        self._browsers, self._server, self._log = browsers, server, log
        self._waiting: list[tuple[Visit, str]] = []
        self.decided = 0
        self.slowest_page = self.slowest_choice = 0.0

    def arrive(self) -> Visit:
        """Open a page; the notice is there."""
        context = self._browsers.new_profile("chromium", self._browsers.sink)
        context.set_default_timeout(20_000)
        visit = Visit(context.new_page(), SITE, self._server)
        began = time.monotonic()
        visit.go()
        visit.wait_for_notice()
        self.slowest_page = max(self.slowest_page, time.monotonic() - began)
        return visit

    def decide(self, visit: Visit, action: str) -> None:
        """Answer; the choice holds on the page at once."""
        began = time.monotonic()
        visit.decide(action)
        decision = visit.decision()
        self.slowest_choice = max(self.slowest_choice, time.monotonic() - began)
        assert decision is not None
        granted = SITE.optional_services if action == "accept_all" else ()
        assert decision.grants == SITE.expected_grants(*granted)
        self._waiting.append((visit, action))
        self.decided += 1

    def bring_home(self) -> None:
        """Each record has arrived, once."""
        for visit, action in self._waiting:
            visit.wait_for(
                lambda visit=visit: SITE.outbox_key not in visit.storage().get("local_storage", []),  # type: ignore[misc]
                "delivery",
                _DELIVERY_SECONDS,
            )
            assert [one["method"] for one in visit.receipts()] == [action]
            visit.go("contact")
            assert not visit.notice_is_shown
            visit.page.context.close()
        self._waiting.clear()


class Run:
    """One run, told to the log."""

    def __init__(
        self,
        cluster: PatroniCluster,
        load: Load,
        pages: Pages,
        visitors: Visitors,
        log: SoakLog,
    ) -> None:
        self.cluster, self.load, self.pages = cluster, load, pages
        self.visitors, self.log = visitors, log

    def lose(self, what: str, lose: Callable[[], object], seconds: float = 0.0) -> None:
        """Let something be lost while people decide; wait until decisions are taken again."""
        early = self.visitors.arrive()
        before = dict(self.load.answers)
        self.log.say(f"LOST: {what}")
        began = time.monotonic()
        lose()
        self.visitors.decide(early, "accept_all")
        self.visitors.decide(self.visitors.arrive(), "reject_all")
        while time.monotonic() - began < seconds or self.load.latest() < began + 2:
            assert time.monotonic() - began < _RECOVERY_SECONDS, self.cluster.tell_logs()
            time.sleep(0.1)
        time.sleep(2)
        gap = self.load.longest_gap(began, time.monotonic())
        answers = self.load.answers - type(self.load.answers)(before)
        self.log.say(f"      primary is node{self.cluster.primary()}; answers {dict(answers)}")
        self.log.say(f"      {self.pages.tell(began)}")
        self.log.say(f"      longest time in which nothing was acknowledged: {gap:.1f} s")


def _lose_all(run: Run) -> None:
    cluster, log = run.cluster, run.log
    time.sleep(8)
    log.say(f"{len(run.load.receipts)} decisions acknowledged before anything is lost")
    log.say(f"      {run.pages.tell()}")
    first = cluster.primary()
    assert first is not None
    cluster.wait_for_successor(first)
    run.lose(f"the primary, node{first}, by SIGKILL", lambda: cluster.kill_node(first))
    second = cluster.primary()
    assert second not in {None, first}
    assert second is not None
    # Patroni takes a moment longer than PostgreSQL to know who follows. Without one known,
    # nobody takes the place of a primary that is lost, and decisions wait for it to come back.
    cluster.wait_for_successor(second)
    log.say(f"{cluster.successors()} would take its place")

    def come_back_and_lose() -> None:
        cluster.start_patroni(first)
        time.sleep(1.0)
        cluster.kill_node(second)

    run.lose(
        f"the new primary, node{second}, by SIGKILL, while node{first} comes back",
        come_back_and_lose,
    )
    cluster.start_patroni(second)
    cluster.wait_until_whole()
    log.say(f"all three nodes follow again; node{cluster.primary()} is the primary")
    leader = cluster.etcd_leader()
    run.lose(
        f"etcd's leader, on node{leader}, by SIGKILL",
        cluster.kill_etcd_leader,
        seconds=25.0,
    )
    cluster.start_etcd(leader)
    time.sleep(2)
    log.say(f"etcd of node{leader} is back")
    third = cluster.primary()
    assert third is not None
    cluster.wait_for_successor(third)
    run.lose(f"the primary, node{third}, by SIGSTOP", lambda: cluster.freeze_node(third))
    cluster.kill_node(third)
    cluster.start_patroni(third)
    cluster.wait_until_whole()
    log.say(f"node{third} was started again; node{cluster.primary()} is the primary")


def test_nothing_that_was_acknowledged_is_lost_or_doubled_when_nodes_are(tmp_path: Path) -> None:
    lacking = missing_packages()
    if lacking:
        pytest.skip(f"not installed: apt-get install {' '.join(lacking)}")
    assert find_program("postgres")
    log = SoakLog("patroni", "Three nodes with Patroni, two servers, and what is lost under load")
    ports = free_port(), free_port()
    tmp_path.chmod(0o755)
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster())
        log.say(cluster.versions())
        port = stack.enter_context(front(ports))
        servers, server = stack.enter_context(two_servers(cluster, tmp_path, ports, port))
        template = read_template(server)
        sink = stack.enter_context(running_trackers())
        browsers = Browsers(stack.enter_context(sync_playwright()), sink)
        stack.callback(browsers.close)
        visitors = Visitors(browsers, server, log)
        load, pages = Load(port, template, WRITERS, PAUSE_SECONDS), Pages(port)
        log.say(f"{WRITERS} clients begin, through nginx, at two servers")
        load.start()
        pages.start()
        try:
            _lose_all(Run(cluster, load, pages, visitors, log))
        finally:
            load.finish(60)
            pages.stop()
        visitors.bring_home()
        _tell(log, load, pages, visitors)
        exported = {one["event_id"]: one for one in audit(server)}
        log.say(f"{len(exported)} records exported; the ledger verifies")
        lost = load.receipts.keys() - exported.keys()
        assert len(exported) == len(load.receipts) + visitors.decided, f"lost: {lost}"
        assert {key: exported[key] for key in load.receipts} == load.receipts
        log.say("0 acknowledged decisions lost, 0 doubled; every receipt is the record")
        assert load.strange == []
        assert pages.failed == []
        assert [one.process.poll() for one in servers] == [None, None]
        for one in servers:
            with urllib.request.urlopen(f"{one.url}/readyz", timeout=10) as answer:
                assert answer.status == 200
        log.say("both servers are ready, and were never started again")
    log.keep()


def _tell(log: SoakLog, load: Load, pages: Pages, visitors: Visitors) -> None:
    answers = json.dumps(dict(sorted(load.answers.items())))
    log.say(f"{len(load.receipts)} decisions acknowledged; answers {answers}")
    log.say(f"{len(load.retried)} of them were sent more than once")
    log.say(f"{len(pages.took)} times the script was asked for, {len(pages.failed)} times in vain")
    log.say(
        f"{visitors.decided} people decided in Chromium, half of them on pages opened while "
        f"something was lost: the slowest page showed its notice after "
        f"{visitors.slowest_page * 1000:.0f} ms, the slowest choice held after "
        f"{visitors.slowest_choice * 1000:.0f} ms, each record arrived once"
    )
