"""The script: one response, the same bytes for the same version, and nothing can break out."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import brotli
import pytest

from consent_server.cores import read_core
from consent_server.packing import pack_script
from consent_server.paths import asset_dir
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from consent_server.widget import added_parts, compose_script, read_forms
from tests.conftest import ReadSite
from tests.test_site_form import change

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]


def configuration(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body.decode().rpartition("})(")[2].removesuffix(");"))
    return found


@pytest.mark.parametrize("key", SITES)
def test_the_same_version_gives_the_same_bytes(read_site: ReadSite, key: str) -> None:
    config = build_snapshot(load_site_form(read_site(key)))
    one, other = compose_script(config, 1, 1), compose_script(config, 1, 1)
    assert one == other
    assert one.script_hash == hashlib.sha256(one.body).hexdigest()
    assert pack_script(one) == pack_script(other)


def test_the_script_knows_itself_and_its_version(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    script = compose_script(config, 7, 3)
    known = configuration(script.body)
    assert (known["site"], known["version"], known["material"]) == ("smilee", 7, 3)
    assert known["script"] == script.script_id
    assert compose_script(config, 8, 3).script_id != script.script_id


def test_the_core_is_in_it_word_for_word(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    assert read_core(added=added_parts(config)) in compose_script(config, 1, 1).body.decode()


def test_the_statement_of_the_parts_travels_only_with_parts() -> None:
    plain, added = read_core(), read_core(added=("connectors",))
    assert "PARTS" not in plain + added
    start = next(at for at, sign in enumerate(added) if plain[at] != sign)
    assert added.endswith(plain[start:])
    assert added[:start] == plain[:start]
    assert read_core("gate", added=("connectors",)) != read_core("gate")


def test_gpp_travels_only_where_the_site_asks_for_it(read_site: ReadSite) -> None:
    site = read_site("smilee") | {"regime": "by_region"}
    without, told = (
        compose_script(build_snapshot(load_site_form(site | {"gpp": gpp})), 1, 1)
        for gpp in (False, True)
    )
    assert b"gpp" not in without.body.lower()
    added = added_parts(build_snapshot(load_site_form(site | {"gpp": True})))
    assert "gpp" in added
    assert read_core(added=added) in told.body.decode()
    sizes = [len(pack_script(script).brotli) for script in (without, told)]
    assert sizes[1] - sizes[0] < 1000, "and the sections are not in it"
    assert b"SaleOptOut" not in told.body


def test_packed_bytes_unpack_to_the_script(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    packed = pack_script(compose_script(config, 1, 1))
    assert brotli.decompress(packed.brotli) == packed.script.body
    assert gzip.decompress(packed.gzip) == packed.script.body


def test_the_smilee_script_takes_some_ten_kilobytes(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    for version in range(1, 12):  # the number alone moves the size by some bytes
        assert len(pack_script(compose_script(config, version, 1)).brotli) <= 10_150


@pytest.mark.parametrize("form", ["banner", "bar", "box", "centred"])
def test_widget_and_gate_fit_beside_what_the_site_says(form: str) -> None:
    for parts, most in ((("gate",), 12_000), (("gate", "strict"), 12_350)):
        code = read_core(*parts) + read_forms()[form]
        assert len(brotli.compress(code.encode(), quality=11)) <= most


@pytest.mark.parametrize("blocking", ["gate", "strict"])
def test_the_gate_travels_only_where_the_site_asks_for_it(
    read_site: ReadSite, blocking: str
) -> None:
    site = read_site("smilee")
    declared = compose_script(build_snapshot(load_site_form(site)), 1, 1)
    config = build_snapshot(load_site_form(change(site, "blocking", blocking)))
    gated = compose_script(config, 1, 1)
    assert "gate" not in configuration(declared.body)
    parts = ("gate", "strict") if blocking == "strict" else ("gate",)
    assert read_core(*parts, added=added_parts(config)) in gated.body.decode()
    known = configuration(gated.body)["gate"]
    assert known["services"]["smilee-chat"] == "saas.smilee.io"
    assert ("allowed" in known) == (blocking == "strict")


def test_strict_allows_the_hosts_of_the_site_and_those_that_the_owner_names(
    read_site: ReadSite,
) -> None:
    site = change(read_site("smilee"), "blocking", "strict")
    config = build_snapshot(load_site_form(change(site, "allowed_hosts", ["*.example.com"])))
    known = configuration(compose_script(config, 1, 1).body)
    assert known["gate"]["allowed"].split() == ["127.0.0.1", "localhost", "*.example.com"]


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>x()</script>",
        '"})(alert(1));//',
        "`${alert(1)}`",
        "\\u0022",
        "{{",
        "é\u202e",
    ],
)
def test_no_text_can_break_out_of_the_configuration(read_site: ReadSite, text: str) -> None:
    site = change(read_site("smilee"), "texts", {"sv": {"heading": text}})
    config = build_snapshot(load_site_form(site))
    body = compose_script(config, 1, 1).body
    core = read_core(added=added_parts(config)).encode()
    prefix = b"(function(SITE_CONFIG){"
    assert body.startswith(prefix + core + b"})(")
    known = json.loads(body[len(prefix) + len(core) + 3 : -2])
    assert text in known["texts"]["sv"]


def test_every_core_brings_a_render_proof_back() -> None:
    cores = sorted((asset_dir("static") / "widget").glob("core*.js"))
    assert len(cores) == 36
    # By these bytes the server tells a script that must bring one from those of early releases.
    assert [core.name for core in cores if b"?proof=" not in core.read_bytes()] == []
