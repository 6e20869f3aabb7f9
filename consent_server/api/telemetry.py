"""Telemetry: traces and metrics by OpenTelemetry, where an operator names a place for them.

The variables are OpenTelemetry's own (OTEL_EXPORTER_OTLP_ENDPOINT and others, see its
specification); without an endpoint nothing is sent anywhere. Spans are made here and not
by its instrumentation of Flask, which would put addresses, browsers and queries into them.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from consent_server import __version__
from consent_server.metrics import Family, Metrics

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

    from consent_server.api.observing import Observer

_ENDPOINTS = tuple(f"OTEL_EXPORTER_OTLP_{part}ENDPOINT" for part in ("", "TRACES_", "METRICS_"))
_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
#: One look serves all instruments that are read at the same time.
_FRESH_SECONDS = 1.0
_NANO = 1_000_000_000
_SERVER_ERROR = 500

log = logging.getLogger(__name__)


def telemetry_observer(metrics: Metrics) -> Observer | None:
    """Begin to send traces and metrics; return what tells of requests, None where it is off."""
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if not all(_is_installed(name) for name in _PACKAGES):
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'consent-server[telemetry]'"
        )
        return None
    return _observe(metrics)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _observe(metrics: Metrics) -> Observer:
    # Only here: the packages are an extra, and cost memory.
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    name = os.environ.get("OTEL_SERVICE_NAME", "consent-server")
    resource = Resource.create({"service.name": name, "service.version": __version__})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = traces.get_tracer("consent_server", __version__)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    meter = MeterProvider([reader], resource).get_meter("consent_server", __version__)
    # Name and unit as OpenTelemetry's conventions have them.
    duration = meter.create_histogram("http.server.request.duration", "s")
    _bridge(metrics, meter)

    def observe(method: str, route: str, status: int, seconds: float) -> None:
        told: dict[str, str | int] = {
            "http.request.method": method or "_OTHER",
            "http.route": route,
            "http.response.status_code": status,
        }
        duration.record(seconds, told)
        now = time.time_ns()
        span = tracer.start_span(
            f"{method} {route}".strip(),
            kind=SpanKind.SERVER,
            attributes=told,
            start_time=now - int(seconds * _NANO),
        )
        if status >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    return observe


def _bridge(metrics: Metrics, meter: Any) -> None:
    """Give OpenTelemetry every counter and gauge that Prometheus reads, by the same name."""
    look = _Look(metrics)
    for family in look.families().values():
        if family.kind == "histogram":
            continue
        create = (
            meter.create_observable_counter
            if family.kind == "counter"
            else meter.create_observable_gauge
        )
        create(family.name, [look.callback(family.name)], description=family.told)


class _Look:
    """The metrics as of a moment ago."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._at = 0.0
        self._found: dict[str, Family] = {}

    def families(self) -> dict[str, Family]:
        """Return every family by its name."""
        if time.monotonic() - self._at > _FRESH_SECONDS:
            self._found = {one.name: one for one in self._metrics.families()}
            self._at = time.monotonic()
        return self._found

    def callback(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        """Return what reads one family."""
        from opentelemetry.metrics import Observation  # noqa: PLC0415

        def read(_options: CallbackOptions) -> Iterator[Observation]:
            family = self.families().get(name)
            for sample in family.samples if family is not None else ():
                yield Observation(sample.value, dict(sample.labels))

        return read
