"""Metrics: counts and times of a server, in the text format that Prometheus reads.

Version 0.0.4 of the format (Prometheus, "Exposition formats"). No number is about one
visitor, and no label holds a value that a request may choose.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: the name with its suffix, the labels and the value."""

    suffix: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its samples, as of one moment."""

    name: str
    kind: str
    told: str
    samples: Sequence[Sample]


class Counter:
    """Counts up, for each combination of label values."""

    def __init__(self, name: str, told: str, labels: Labels = ()) -> None:
        self.name, self.told = name, told
        self._labels = labels
        self._lock = threading.Lock()
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, amount: float = 1.0) -> None:
        """Count one more, or `amount`."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0.0) + amount

    def family(self) -> Family:
        """Return what was counted."""
        with self._lock:
            values = sorted(self._values.items())
        samples = [
            Sample("", dict(zip(self._labels, labels, strict=True)), value)
            for labels, value in values
        ]
        return Family(self.name, "counter", self.told, samples)


class Histogram:
    """Counts values by how large they are; `bounds` are the upper ends, ascending."""

    def __init__(self, name: str, told: str, bounds: Sequence[float]) -> None:
        self.name, self.told = name, told
        self.bounds = tuple(bounds)
        self._lock = threading.Lock()
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        place = bisect_left(self.bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def family(self) -> Family:
        """Return what was counted, each bucket with all smaller ones."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        samples, so_far = [], 0
        for bound, count in zip([*map(_spell, self.bounds), "+Inf"], counts, strict=True):
            so_far += count
            samples.append(Sample("_bucket", {"le": bound}, so_far))
        samples += [Sample("_sum", {}, total), Sample("_count", {}, so_far)]
        return Family(self.name, "histogram", self.told, samples)


class Metrics:
    """What a server counts, and what is looked up when somebody reads."""

    def __init__(self) -> None:
        self.requests = Counter(
            "consent_requests_total",
            "Answers, by method, route and status.",
            ("method", "route", "status"),
        )
        self.decision_seconds = Histogram(
            "consent_decision_seconds",
            "From a decision's arrival to its receipt, the commit included.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        )
        self.commit_decisions = Histogram(
            "consent_commit_decisions",
            "Decisions that were written with one commit.",
            (1, 2, 4, 8, 16, 32, 64),
        )
        self.job_runs = Counter(
            "consent_job_runs_total",
            "Runs of what the server does by itself, by outcome.",
            ("job", "outcome"),
        )
        self.checkpoints = Counter(
            "consent_checkpoints_total", "Checkpoints that were signed here."
        )
        self.sealed = Counter("consent_sealed_records_total", "Records that were sealed here.")
        self._succeeded: dict[str, float] = {}
        self._sources: list[Callable[[], Iterable[Family]]] = []

    def count_run(self, job: str, *, good: bool, now: float) -> None:
        """Count a run of a job that ended at `now` (Unix time)."""
        self.job_runs.add(job, "done" if good else "failed")
        if good:
            self._succeeded[job] = now

    def add_source(self, source: Callable[[], Iterable[Family]]) -> None:
        """Let `source` give more families each time that somebody reads."""
        self._sources.append(source)

    def families(self) -> Iterator[Family]:
        """Give every metric as of now."""
        for counted in (
            *(self.requests, self.decision_seconds, self.commit_decisions),
            *(self.job_runs, self.checkpoints, self.sealed),
        ):
            yield counted.family()
        yield Family(
            "consent_job_last_success_timestamp_seconds",
            "gauge",
            "When a job last ended well (Unix time).",
            [Sample("", {"job": job}, at) for job, at in sorted(self._succeeded.items())],
        )
        for source in self._sources:
            yield from source()


def gauge(name: str, told: str, value: float, **labels: str) -> Family:
    """Return a metric that goes up and down, with its one value."""
    return Family(name, "gauge", told, [Sample("", labels, value)])


def spell_families(families: Iterable[Family]) -> str:
    """Spell metrics as Prometheus reads them."""
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.told}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for sample in family.samples:
            labels = ",".join(f'{name}="{_escape(value)}"' for name, value in sample.labels.items())
            told = f"{{{labels}}}" if labels else ""
            lines.append(f"{family.name}{sample.suffix}{told} {_spell(sample.value)}")
    return "\n".join([*lines, ""])


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _spell(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
