"""Telemetry: OpenTelemetry gets how requests went, where it is asked for, and of whom nothing."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.api.test_privacy import TELLING, TRACES

from .serving import wait_until
from .test_run import run_server


class Collector(http.server.ThreadingHTTPServer):
    """Takes what is exported, as any collector does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.traces: list[bytes] = []
        self.metrics: list[bytes] = []

    def spans(self) -> list[tuple[str, dict[str, object]]]:
        """Return name and attributes of every span so far."""
        return [
            (
                span.name,
                {one.key: one.value.string_value or one.value.int_value for one in span.attributes},
            )
            for body in list(self.traces)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def names(self) -> set[str]:
        """Return the name of every metric so far."""
        return {
            metric.name
            for body in list(self.metrics)
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


class _Take(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        {"/v1/traces": self.server.traces, "/v1/metrics": self.server.metrics}[self.path].append(
            body
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_requests_are_told_by_route_and_nothing_of_who_asked(
    collector: Collector, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    with run_server(environment, tmp_path) as server:
        headers = {**TELLING, "traceparent": f"00-{'5ec2e7' * 5}aa-{'5ec2e7' * 2}aaaa-01"}
        with urlopen(Request(f"{server.url}/w/smilee.js?page=secret", headers=headers)) as answer:
            assert answer.status == 200
        wait_until(lambda: any("smilee" in n or "site_key" in n for n, _ in collector.spans()))
        wait_until(lambda: {"consent_ready", "consent_job_runs_total"} <= set(collector.names()))
    [attributes] = [told for name, told in collector.spans() if name == "GET /w/<site_key>.js"]
    assert attributes == {
        "http.request.method": "GET",
        "http.route": "/w/<site_key>.js",
        "http.response.status_code": 200,
    }
    assert collector.names() >= {
        *("http.server.request.duration", "consent_unsealed_seconds", "consent_writer_waiting"),
        *("consent_job_runs_total", "process_resident_memory_bytes"),
    }
    for body in [*collector.traces, *collector.metrics]:
        for trace in [*TRACES, "smilee"]:
            assert trace.encode() not in body
        assert bytes.fromhex("5ec2e7" * 5) not in body, "nobody's trace is carried on"


def test_without_an_endpoint_or_when_it_is_disabled_nothing_is_sent(
    collector: Collector, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_SDK_DISABLED": "true",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
    }
    with run_server(environment, tmp_path) as server:
        assert server.fetch("/w/smilee.js")
        threading.Event().wait(0.5)
    assert not collector.traces
    assert not collector.metrics
