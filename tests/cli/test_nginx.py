"""nginx: the recipes of the docs, run as they stand there."""

from __future__ import annotations

import http.client
import re
import ssl
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from websocket import create_connection

from tests.documentation import page

from .nginx import running_nginx, write_certificate
from .serving import serving
from .test_run import free_port
from .upstream import PAGE, REST, Upstream, running_upstream

_HOST = "www.example.com"
_TAG = b'<script async src="/w/smilee.js"></script>'
_HELD = b'<img data-consent="service:meta-pixel" data-consent-src=https://www.facebook.com/tr>'
#: Nobody vouches for the certificate of a test.
_UNTRUSTED = ssl._create_unverified_context()


@dataclass
class Front:
    """nginx and what stands behind it."""

    port: int
    upstream: Upstream

    def ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Ask as a visitor does."""
        opened = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=_UNTRUSTED)
        opened.request("GET", path, headers={"Host": _HOST, "Connection": "close", **headers})
        return opened.getresponse()


@pytest.fixture
def front(environment: dict[str, str], tmp_path: Path) -> Iterator[Front]:
    environment["CONSENT_TRUSTED_PROXIES"] = "1"
    [recipe] = page("docs/rewriting.md").tested("nginx-proxy")
    with ExitStack() as stack:
        upstream = stack.enter_context(running_upstream())
        server, proxy = (
            stack.enter_context(
                serving(*command, environment=environment, folder=tmp_path, port=free_port())
            )
            for command in (("run",), ("proxy", "--upstream", upstream.url, "--site", "smilee"))
        )
        certificate, key = write_certificate(tmp_path)
        tmp_path.chmod(0o755)
        for written, real in (
            ("listen 443", "listen 127.0.0.1:%d"),
            ("/etc/ssl/www.example.com.pem", str(certificate)),
            ("/etc/ssl/www.example.com.key", str(key)),
            ("http://127.0.0.1:8000", server.url),
            ("http://127.0.0.1:8001", proxy.url),
            ("http://127.0.0.1:3000", upstream.url),
        ):
            assert written in recipe
            recipe = recipe.replace(written, real)
        upstream.asked.clear()
        yield Front(stack.enter_context(running_nginx(recipe)), upstream)


def _seen(upstream: Upstream) -> dict[str, str]:
    [(_, _, seen, _)] = upstream.asked
    return {name.lower(): value for name, value in seen.items()}


def test_pages_come_held_and_compressed_and_the_site_knows_its_visitor(front: Front) -> None:
    answer = front.ask("/", **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    html = zlib.decompress(answer.read(), 31)
    assert html == (PAGE + REST).replace(b"<title>", _TAG + b"<title>").replace(
        b"<img src=https://www.facebook.com/tr>", _HELD
    )
    seen = _seen(front.upstream)
    assert (seen["host"], seen["x-forwarded-proto"]) == (_HOST, "https")
    assert seen["x-forwarded-for"].split(", ")[0] == "127.0.0.1"


def test_a_page_streams_through_nginx_too(front: Front) -> None:
    answer = front.ask("/slow", **{"Accept-Encoding": "gzip"})
    inflate = zlib.decompressobj(31)
    html = b""
    while _TAG not in html:
        html += inflate.decompress(answer.read1(4096))
    assert not front.upstream.may_go_on.is_set()
    front.upstream.may_go_on.set()
    assert (html + inflate.decompress(answer.read())).endswith(_HELD + b"</html>")


def test_the_script_and_its_pages_come_from_us_and_files_straight_from_the_site(
    front: Front,
) -> None:
    script = front.ask("/w/smilee.js")
    assert script.status == 200
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert b"consent" in script.read()
    versions = front.ask("/w/smilee/versions/1", Accept="text/html").read().decode()
    [style] = re.findall(r'href="(/pages/[^"]+\.css)"', versions)
    assert front.ask(style).status == 200
    assert not front.upstream.asked
    assert front.ask("/a/b.PNG").read() == PAGE + REST, "nobody read it on its way"
    assert _seen(front.upstream)["host"] == _HOST


def test_websockets_pass(front: Front) -> None:
    options = {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    url = f"wss://127.0.0.1:{front.port}/talk"
    opened = create_connection(url, timeout=20, host=_HOST, sslopt=options)
    opened.send("Hei")
    assert opened.recv() == "Hei"
    opened.close()
    assert _seen(front.upstream)["host"] == _HOST


def test_the_path_of_the_installation_is_passed_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    [location] = page("docs/install.md").tested("nginx-path")
    environment["CONSENT_TRUSTED_PROXIES"] = "1"
    with serving("run", environment=environment, folder=tmp_path, port=free_port()) as server:
        block = location.replace("http://127.0.0.1:8000", server.url)
        assert block != location
        with running_nginx("server { listen 127.0.0.1:%d; " + block + " }") as port:
            opened = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            statuses = {}
            for path in ("/w/smilee.js", "/w/smilee/versions/1", "/api/v1/sites", "/"):
                opened.request("GET", path, headers={"Host": _HOST})
                answer = opened.getresponse()
                answer.read()
                statuses[path] = answer.status
            opened.close()
    assert statuses["/w/smilee.js"] == statuses["/w/smilee/versions/1"] == 200
    assert statuses["/api/v1/sites"] == statuses["/"] == 404
