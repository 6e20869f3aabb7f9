"""Metrics: what Prometheus reads, true, bounded, cheap, and about nobody."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from consent_server.api.observing import Observing, count_requests
from consent_server.app import create_app
from consent_server.cli.jobs import Job, jobs_of, start_jobs
from consent_server.config import Settings, sqlite_path
from consent_server.metrics import Counter, Family, Histogram, Metrics, Sample, spell_families
from tests.api.answers import read_problem
from tests.api.route_requests import list_requests
from tests.api.test_privacy import ADDRESS, TELLING, TRACES
from tests.visitor import Visitor

TOKEN = "metrics-token-of-at-least-32-characters"
OWN = {"Authorization": f"Bearer {TOKEN}"}

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, with its metrics turned on."""
    app = create_app(replace(settings, metrics_token=TOKEN))
    yield app
    app.extensions["consent"].database.close()


def parse(text: str) -> Values:
    """Read the format with Prometheus' own parser: name and labels to value."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(client: FlaskClient) -> Values:
    answer = client.get("/metrics", headers=OWN)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(answer.text)


def value(values: Values, name: str, **labels: str) -> float:
    return values[name, frozenset(labels.items())]


def test_requests_decisions_and_commits_are_counted(app: Flask, visitor: Visitor) -> None:
    assert visitor.accept_all().status_code == 201
    decision = visitor.decision()
    assert [visitor.send(decision).status_code for _ in range(2)] == [201, 200]
    assert visitor.send({}).status_code == 422
    visitor.client.get("/nowhere")
    values = read(visitor.client)
    route = "/w/<site_key>/decisions"
    for status, count in (("201", 2), ("200", 1), ("422", 1)):
        labels = {"method": "POST", "route": route, "status": status}
        assert value(values, "consent_requests_total", **labels) == count
    lost = {"method": "", "route": "unmatched", "status": "404"}
    assert value(values, "consent_requests_total", **lost) == 1
    assert value(values, "consent_decision_seconds_count") == 3
    assert 0 < value(values, "consent_decision_seconds_sum") < 60
    assert value(values, "consent_decision_seconds_bucket", le="+Inf") == 3
    assert value(values, "consent_commit_decisions_count") == 3
    assert value(values, "consent_commit_decisions_bucket", le="1") == 3
    assert value(values, "consent_writer_waiting") == 0
    assert value(values, "consent_writer_busy_seconds") == 0
    for name in ("space", "writer", "database", "writing"):
        assert value(values, "consent_ready", check=name) == 1
    assert value(values, "consent_unsealed_records") >= 2
    assert value(values, "consent_unsealed_seconds") >= 0
    assert value(values, "consent_webhooks_waiting") == 0
    assert value(values, "process_resident_memory_bytes") > 10_000_000
    assert value(values, "process_cpu_seconds_total") > 0


def test_what_jobs_did_and_what_was_not_taken_elsewhere_is_counted(
    app: Flask, settings: Settings, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    parts = app.extensions["consent"]
    nowhere = f"file:{tmp_path}/no/such/folder/secret-name,file:{tmp_path}/no/other-secret"
    jobs = jobs_of(replace(settings, checkpoint_targets=nowhere), parts.database, parts.metrics)
    for job in jobs:
        job.run()
    ended = threading.Event()

    def fail() -> None:
        ended.set()
        raise ValueError("secret")

    start_jobs([Job("pushing to https://secret.example/", 3600.0, fail)], parts.metrics)
    assert ended.wait(10)
    values: Values = {}
    for _ in range(200):
        values = read(visitor.client)
        if (
            "consent_job_runs_total",
            frozenset({("job", "pushing"), ("outcome", "failed")}),
        ) in values:
            break
    assert value(values, "consent_job_runs_total", job="pushing", outcome="failed") == 1
    assert value(values, "consent_checkpoints_total") == 5
    assert value(values, "consent_sealed_records_total") >= 6
    assert value(values, "consent_push_failing_sites", target="file here") == 5
    assert value(values, "consent_unsealed_records") == 0
    assert "secret" not in repr(values)


def test_a_database_that_is_gone_is_told_at_once(
    app: Flask, settings: Settings, visitor: Visitor
) -> None:
    visitor.reject_all()
    decision = visitor.decision()
    file = sqlite_path(settings.database_url)
    assert file is not None
    file.rename(file.with_name("away"))
    assert visitor.send(decision).status_code == 503
    values = read(visitor.client)
    assert value(values, "consent_ready", check="database") == 0
    assert value(values, "consent_ready", check="writer") == 1
    assert ("consent_unsealed_records", frozenset()) not in values
    file.with_name("away").rename(file)


def test_nothing_of_a_visitor_and_nothing_that_a_request_chooses_is_a_label(
    app: Flask, visitor: Visitor
) -> None:
    telling: dict[str, Any] = {"headers": TELLING, "environ_base": {"REMOTE_ADDR": ADDRESS}}
    visitor.send(visitor.decision(), **telling)
    for request in list_requests(app):
        visitor.client.open(f"{request.path}&secret=1", method=request.method, **telling)
        visitor.client.open(f"/secret{request.path}", method="SECRET", **telling)
        visitor.client.open(request.path, method="SECRET", **telling)
    text = visitor.client.get("/metrics", headers=OWN).text
    for trace in [*TRACES, visitor.subject_id, "SECRET", "smilee"]:
        assert trace not in text
    routes = {rule.rule for rule in app.url_map.iter_rules()} | {"unmatched"}
    assert set(re.findall(r'route="([^"]*)"', text)) <= routes


@pytest.mark.parametrize("sent", [None, "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}"])
def test_only_the_token_opens_it(client: FlaskClient, sent: str | None) -> None:
    answer = client.get("/metrics", headers={"Authorization": sent} if sent else {})
    read_problem(answer, 401, "not_authorised")


def test_without_a_token_there_is_no_such_address_and_nothing_is_observed(
    settings: Settings,
) -> None:
    app = create_app(settings)
    assert app.test_client().get("/metrics", headers=OWN).status_code == 404
    assert not isinstance(app.wsgi_app, Observing)
    app.extensions["consent"].database.close()


def test_many_threads_lose_no_count() -> None:
    counter, histogram = Counter("a_total", "A.", ("b",)), Histogram("h", "H.", (1, 2))

    def count() -> None:
        for _ in range(2_000):
            counter.add("x")
            histogram.observe(1.5)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.family().samples[0].value == 16_000
    assert [one.value for one in histogram.family().samples] == [0, 16_000, 16_000, 24_000, 16_000]


def test_a_value_on_the_edge_of_a_bucket_is_inside_it() -> None:
    histogram = Histogram("h", "H.", (1, 2.5))
    for observed in (1, 2.5, 2.6):
        histogram.observe(observed)
    values = parse(spell_families([histogram.family()]))
    assert value(values, "h_bucket", le="1") == 1
    assert value(values, "h_bucket", le="2.5") == 2
    assert value(values, "h_bucket", le="+Inf") == 3


def test_label_values_are_spelled_so_that_they_are_read_back() -> None:
    odd = 'a"b\\c\nd'
    text = spell_families([Family("m", "gauge", "M.", [Sample("", {"l": odd}, 1.5)])])
    assert parse(text) == {("m", frozenset({("l", odd)})): 1.5}


def test_the_requests_of_a_server_for_a_year_make_few_labels() -> None:
    metrics = Metrics()
    count = count_requests(metrics)
    for number in range(10_000):
        count("GET", "/w/<site_key>.js", 200 if number % 2 else 304, 0.001)
    assert len(metrics.requests.family().samples) == 2
