"""Three nodes on loopback: etcd, Patroni and PostgreSQL, as `deploy/patroni` describes them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.documentation import ROOT
from tests.store.postgresql import account_to_run, find_program

DEPLOY = ROOT / "deploy" / "patroni"
NODES = (1, 2, 3)
_PROGRAMS = {"patroni": "patroni", "etcd": "etcd-server", "etcdctl": "etcd-client"}
_START_SECONDS = 120.0
_PASSWORD = "change-me"


def missing_packages() -> list[str]:
    """Return the Debian packages that are not here."""
    lacking = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    try:
        find_program("postgres")
    except AssertionError:
        lacking.append("postgresql")
    return lacking


class PatroniCluster:
    """A running cluster; nodes are numbered from 1."""

    def __init__(self, folder: Path, account: str | None) -> None:
        self.folder = folder
        self._account = account
        # Every run has addresses of its own, and the ports of the example.
        self._net = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}."
        self._patroni: dict[int, subprocess.Popen[bytes]] = {}
        self._etcd: dict[int, subprocess.Popen[bytes]] = {}
        #: Nodes that hang: nobody asks them anything.
        self._frozen: set[int] = set()

    def address(self, node: int) -> str:
        """Return the loopback address of a node."""
        return f"{self._net}1{node}"

    @property
    def url(self) -> str:
        """Return the address of the database as the example has it, for these nodes."""
        text = (DEPLOY / "consent.env").read_text("utf-8")
        [line] = [one for one in text.splitlines() if one.startswith("CONSENT_DATABASE_URL=")]
        return line.partition("=")[2].replace("10.0.0.", self._net)

    def start(self) -> None:
        """Start everything, and make role and database."""
        for node in NODES:
            (self.folder / f"node{node}").mkdir()
            self._configure(node)
        self._give()
        for node in NODES:
            self.start_etcd(node)
        self.start_patroni(1)
        self._wait(lambda: self.primary() == 1, "the first node is the primary")
        for node in NODES[1:]:
            self.start_patroni(node)
        self._wait(lambda: self.standbys() == (2, 1), "two standbys, one of them synchronous")
        with self.connect(1) as connection:
            connection.execute(f"CREATE ROLE consent LOGIN PASSWORD '{_PASSWORD}'".encode())
            connection.execute("CREATE DATABASE consent OWNER consent")

    def start_etcd(self, node: int) -> None:
        """Start a node's etcd."""
        self._etcd[node] = self._run("etcd", node, "--config-file", str(self._file(node, "etcd")))

    def start_patroni(self, node: int) -> None:
        """Start a node's Patroni, which starts its PostgreSQL."""
        self._patroni[node] = self._run("patroni", node, str(self._file(node, "patroni")))

    def kill_node(self, node: int) -> None:
        """SIGKILL Patroni and every process of its PostgreSQL."""
        postmaster = int((self._data(node) / "postmaster.pid").read_text("utf-8").split()[0])
        self._patroni[node].kill()
        for process in [postmaster, *_children(postmaster)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._patroni.pop(node).wait(10)
        self._frozen.discard(node)

    def freeze_node(self, node: int) -> list[int]:
        """SIGSTOP Patroni and PostgreSQL: connections stay open, nothing is answered."""
        postmaster = int((self._data(node) / "postmaster.pid").read_text("utf-8").split()[0])
        processes = [self._patroni[node].pid, postmaster, *_children(postmaster)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        self._frozen.add(node)
        return processes

    def kill_etcd_leader(self) -> int:
        """SIGKILL the leader of etcd; return its node."""
        leader = self.etcd_leader()
        self._etcd[leader].kill()
        self._etcd.pop(leader).wait(10)
        return leader

    def etcd_leader(self) -> int:
        """Return the node that leads etcd."""
        ends = {f"http://{self.address(node)}:2379": node for node in self._etcd}
        done = self._etcdctl("endpoint", "status", "-w", "json")
        for one in json.loads(done):
            if one["Status"]["leader"] == one["Status"]["header"]["member_id"]:
                return ends[one["Endpoint"]]
        raise AssertionError("etcd has no leader")

    def primary(self) -> int | None:
        """Return the node that takes writes."""
        for node in set(NODES) - self._frozen:
            with suppress(psycopg.Error), self.connect(node) as connection:
                found = connection.execute("SELECT pg_is_in_recovery()").fetchone()
                if found == (False,):
                    return node
        return None

    def standbys(self) -> tuple[int, int]:
        """Return how many standbys stream, and how many of them commits wait for."""
        node = self.primary()
        if node is None:
            return 0, 0
        with suppress(psycopg.Error), self.connect(node) as connection:
            found = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) "
                "FROM pg_stat_replication WHERE state = 'streaming'"
            ).fetchone()
            assert found is not None
            return int(str(found[0])), int(str(found[1]))
        return 0, 0

    def successors(self) -> str:
        """Return the nodes that Patroni would let take the primary's place."""
        done = self._etcdctl("get", "--print-value-only", "/service/consent/sync")
        found = json.loads(done or b"{}")
        return str(found.get("sync_standby") or "")

    def wait_for_successor(self, primary: int) -> None:
        """Wait until Patroni knows who would follow `primary`: PostgreSQL knows it earlier."""
        self._wait(lambda: self.successors() not in {"", f"node{primary}"}, "a successor is known")

    def wait_until_whole(self) -> None:
        """Wait until two standbys follow the primary, and commits wait for one."""
        self._wait(lambda: self.standbys() == (2, 1), "the cluster is whole again")

    def versions(self) -> str:
        """Say what runs here."""
        found = []
        for command in (["patroni", "--version"], ["etcd", "--version"]):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(done.stdout.splitlines()[0].strip())
        with self.connect(self.primary() or 1) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return ", ".join([*found, f"PostgreSQL {row[0] if row else ''}"])

    def connect(self, node: int) -> psycopg.Connection[tuple[object, ...]]:
        """Open a superuser's connection to a node."""
        return psycopg.connect(
            host=self.address(node),
            port=5432,
            user="postgres",
            password=f"{_PASSWORD}-superuser",
            dbname="postgres",
            autocommit=True,
            connect_timeout=2,
        )

    def stop(self) -> None:
        """End everything that is still there."""
        for node in list(self._patroni):
            with suppress(OSError, ValueError):
                os.kill(self._patroni[node].pid, signal.SIGCONT)
                self.kill_node(node)
        for process in [*self._patroni.values(), *self._etcd.values()]:
            process.kill()
            process.wait(10)

    def tell_logs(self) -> str:
        """Return the end of each Patroni's log, for a run that failed."""
        logs = sorted(self.folder.glob("node*/patroni.log"))
        return "\n".join(f"{log}:\n{log.read_text('utf-8')[-3000:]}" for log in logs)

    def _etcdctl(self, *arguments: str) -> bytes:
        ends = ",".join(f"http://{self.address(node)}:2379" for node in self._etcd)
        done = subprocess.run(
            ["etcdctl", "--endpoints", ends, *arguments],
            env={**os.environ, "ETCDCTL_API": "3"},
            capture_output=True,
            check=True,
            timeout=30,
        )
        return done.stdout

    def _configure(self, node: int) -> None:
        own = self.folder / f"node{node}"
        places = {
            "/var/lib/etcd/consent": str(own / "etcd"),
            "/var/lib/postgresql/15/consent": str(self._data(node)),
            "/usr/lib/postgresql/15/bin": str(Path(find_program("postgres")).resolve().parent),
            "/var/lib/postgresql/.patroni-pgpass": str(own / "pgpass"),
            "/var/run/postgresql": str(own),
            # Both ends of a connection to another loopback address are not in one network.
            "10.0.0.0/24": "127.0.0.0/8",
            # Nobody's machine is to be reset.
            "mode: automatic": "mode: 'off'",
        }
        for name in ("etcd", "patroni"):
            lines = []
            for line in (DEPLOY / f"{name}.yml").read_text("utf-8").splitlines():
                changed = line
                if line.endswith("# own"):
                    changed = changed.replace("node1", f"node{node}")
                    changed = changed.replace("10.0.0.11", f"10.0.0.1{node}")
                for written, real in places.items():
                    changed = changed.replace(written, real)
                lines.append(changed.replace("10.0.0.", self._net))
            self._file(node, name).write_text("\n".join(lines), "utf-8")

    def _run(self, program: str, node: int, *arguments: str) -> subprocess.Popen[bytes]:
        own = self.folder / f"node{node}"
        with (own / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [program, *arguments],
                cwd=own,
                user=self._account,
                group=self._account if self._account == "postgres" else None,
                env={"PATH": os.environ["PATH"], "HOME": str(own), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _give(self) -> None:
        if self._account is None:
            return
        for path in [self.folder, *self.folder.rglob("*")]:
            shutil.chown(path, self._account)

    def _file(self, node: int, name: str) -> Path:
        return self.folder / f"node{node}" / f"{name}.yml"

    def _data(self, node: int) -> Path:
        return self.folder / f"node{node}" / "data"

    def _wait(self, true: object, what: str) -> None:
        assert callable(true)
        deadline = time.monotonic() + _START_SECONDS
        while not true():
            assert time.monotonic() < deadline, f"never: {what}\n{self.tell_logs()}"
            time.sleep(0.5)


def _children(process: int) -> list[int]:
    with suppress(FileNotFoundError):
        found = Path(f"/proc/{process}/task/{process}/children").read_text("utf-8")
        return [int(one) for one in found.split()]
    return []


@contextmanager
def running_cluster() -> Iterator[PatroniCluster]:
    """Start three nodes in a temporary folder; end them and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="consent-patroni-"))
    cluster = PatroniCluster(folder, account_to_run())
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
