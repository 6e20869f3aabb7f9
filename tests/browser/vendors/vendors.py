"""Vendors: where each library sends, what it stores and what it needs to be told to go on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from tests.browser.tracker_answers import Answer

_SET_COOKIE = "document.cookie = '{}=stand-in; Path=/; Max-Age=31536000; SameSite=Lax';"


@dataclass(frozen=True)
class Vendor:
    """One library as a site uses it; the file src/KEY.js starts it."""

    key: str
    #: Its name in the package registry.
    package: str
    #: URL prefix of what carries the visitor's data away.
    sends_to: str
    #: Every host that the library may ask, as patterns.
    hosts: tuple[str, ...]
    #: What it stores while it runs: (kind, pattern).
    items: tuple[tuple[str, str], ...] = ()
    #: What may be seen for a moment only, and stays where the page goes at that moment.
    passing: tuple[tuple[str, str], ...] = ()
    #: Its service in the catalogue, if there is one.
    service: str = ""
    #: Answers without which it would stop before it sends: URL prefix -> answer.
    answers: dict[str, Answer] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.key


def _json(data: object) -> Answer:
    return Answer(200, "application/json", json.dumps(data).encode())


def _script(code: str) -> Answer:
    return Answer(200, "text/javascript", code.encode())


_AMPLITUDE = _json({"code": 200, "events_ingested": 1, "payload_size_bytes": 1})
_NEW_RELIC = {
    "app": {"agents": [{"entityGuid": "stand-in"}], "nrServerTime": int(time.time() * 1000)},
    **dict.fromkeys(("st", "sts", "sr", "err", "ins", "spa", "log", "logapi", "loaded"), 0),
}
_SEGMENT = {"integrations": {"Segment.io": {"apiKey": "stand-in"}}, "plan": {}}
_RUDDERSTACK = {
    "source": {
        "id": "stand-in",
        "workspaceId": "stand-in",
        "config": {},
        "destinations": [],
    }
}
_OPENREPLAY = {
    **dict.fromkeys(("token", "userUUID", "projectID", "sessionID"), "1"),
    **dict.fromkeys(("beaconSizeLimit", "compressionThreshold"), 1_000_000),
    "startTimestamp": 1,
    "delay": 0,
}
# The loaders below bring nothing of their own: what they load is played by the stand-in.
_LOGROCKET = (
    "window._LRLogger = function () { return new Proxy({}, { get: (_, name) => () => {"
    "  if (name === 'init') navigator.sendBeacon('https://r.logr-in.com/i'); } }); };"
) + _SET_COOKIE.format("_lr_uf_-stand-in")
_FULLSTORY = "navigator.sendBeacon('https://rs.eu1.fullstory.com/rec/page');" + _SET_COOKIE.format(
    "fs_uid"
)
_MATOMO = (
    "new Image().src = 'https://stand-in.matomo.cloud/matomo.php?calls=' + window._paq.length;"
    + _SET_COOKIE.format("_pk_id.1.1fff")
    + _SET_COOKIE.format("_pk_ses.1.1fff")
)

VENDORS = (
    Vendor(
        key="amplitude",
        service="amplitude",
        package="@amplitude/analytics-browser",
        sends_to="https://api.eu.amplitude.com/2/httpapi",
        hosts=("*.amplitude.com",),
        items=(
            ("cookie", "AMP_*"),
            ("local_storage", "AMP_*"),
            ("session_storage", "AMP_*"),
            ("indexed_db", "AMP_*"),
        ),
        answers={"https://api.eu.amplitude.com/": _AMPLITUDE},
    ),
    Vendor(
        key="datadog",
        service="datadog-rum",
        package="@datadog/browser-rum",
        sends_to="https://browser-intake-datadoghq.eu/api/v2/rum",
        hosts=("browser-intake-datadoghq.eu",),
        items=(("cookie", "_dd_s*"), ("session_storage", "_dd_*")),
    ),
    Vendor(
        key="fullstory",
        package="@fullstory/browser",
        sends_to="https://rs.eu1.fullstory.com/rec/page",
        hosts=("*.fullstory.com",),
        items=(("cookie", "fs_*"),),
        answers={"https://edge.eu1.fullstory.com/s/fs.js": _script(_FULLSTORY)},
    ),
    Vendor(
        key="logrocket",
        service="logrocket",
        package="logrocket",
        sends_to="https://r.logr-in.com/i",
        hosts=("*.logr-in.com",),
        items=(("cookie", "_lr_*"),),
        answers={"https://cdn.logr-in.com/logger-1.min.js": _script(_LOGROCKET)},
    ),
    Vendor(
        key="matomo",
        service="matomo",
        package="@datapunt/matomo-tracker-js",
        sends_to="https://stand-in.matomo.cloud/matomo.php",
        hosts=("stand-in.matomo.cloud",),
        items=(("cookie", "_pk_*"),),
        answers={"https://stand-in.matomo.cloud/matomo.js": _script(_MATOMO)},
    ),
    Vendor(
        key="mixpanel",
        service="mixpanel",
        package="mixpanel-browser",
        sends_to="https://api-eu.mixpanel.com/track/",
        hosts=("*.mixpanel.com",),
        items=(
            ("cookie", "mp_*"),
            ("session_storage", "mp_*"),
            ("indexed_db", "mixpanel*"),
        ),
        # Its locks, by which tabs take turns at what is to be sent.
        passing=(("local_storage", "__mpq_*"), ("local_storage", "__mprec_*")),
    ),
    Vendor(
        key="newrelic",
        package="@newrelic/browser-agent",
        sends_to="https://bam.eu01.nr-data.net/1/",
        hosts=("*.nr-data.net",),
        items=(("local_storage", "NRBA_*"),),
        answers={"https://bam.eu01.nr-data.net/1/": _json(_NEW_RELIC)},
    ),
    Vendor(
        key="openreplay",
        package="@openreplay/tracker",
        sends_to="https://ingest.openreplay-stand-in.com/ingest/v1/web/start",
        hosts=("ingest.openreplay-stand-in.com",),
        items=(("session_storage", "__openreplay_*"), ("local_storage", "__openreplay_*")),
        answers={"https://ingest.openreplay-stand-in.com/ingest/v1/web/start": _json(_OPENREPLAY)},
    ),
    Vendor(
        key="plausible",
        package="plausible-tracker",
        sends_to="https://plausible.io/api/event",
        hosts=("plausible.io",),
    ),
    Vendor(
        key="posthog",
        service="posthog",
        package="posthog-js",
        sends_to="https://eu.i.posthog.com/e/",
        hosts=("*.i.posthog.com",),
        items=(("cookie", "ph_*"), ("local_storage", "ph_*"), ("session_storage", "ph_*")),
    ),
    Vendor(
        key="rudderstack",
        package="@rudderstack/analytics-js",
        sends_to="https://stand-in.dataplane.rudderstack.com/v1/",
        hosts=("*.rudderstack.com", "stand-in.dataplane.rudderstack.com", "*.rudderlabs.com"),
        items=(("cookie", "rl_*"), ("local_storage", "rudder_*")),
        answers={"https://api.rudderstack.com/sourceConfig/": _json(_RUDDERSTACK)},
    ),
    Vendor(
        key="segment",
        service="segment",
        package="@segment/analytics-next",
        sends_to="https://api.segment.io/v1/",
        hosts=("*.segment.com", "*.segment.io"),
        items=(("cookie", "ajs_*"), ("local_storage", "ajs_*")),
        answers={"https://cdn.segment.com/v1/projects/": _json(_SEGMENT)},
    ),
    Vendor(
        key="sentry",
        service="sentry",
        package="@sentry/browser",
        sends_to="https://o1.ingest.de.sentry.io/api/1/envelope/",
        hosts=("*.sentry.io",),
        items=(("session_storage", "sentryReplaySession"),),
    ),
    Vendor(
        key="snowplow",
        package="@snowplow/browser-tracker",
        sends_to="https://collector.snowplow-stand-in.com/com.snowplowanalytics.snowplow/",
        hosts=("collector.snowplow-stand-in.com",),
        items=(("cookie", "_sp_*"), ("local_storage", "snowplowOutQueue_*")),
    ),
)

ANSWERS = {prefix: answer for vendor in VENDORS for prefix, answer in vendor.answers.items()}
