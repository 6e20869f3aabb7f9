"""Modules: imports of a service wait for it, and every other script stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rewriting.modules import ModuleRewriter

from .conftest import PLAN, STRICT

_FB = b"https://connect.facebook.net/x.js"
_WAIT = b'await consentImport("service:meta-pixel","%s")' % _FB


def _rewritten(*chunks: bytes, strict: bool = False) -> bytes:
    rewriter = ModuleRewriter(STRICT if strict else PLAN)
    return b"".join(map(rewriter.feed, chunks)) + rewriter.finish()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b'import "%s"', b"%s;"),
        (b'import a from "%s";', b"const consent1=%s,{default:a}=consent1;"),
        (b'import*as a from"%s";', b"const a=%s,{}=a;"),
        (b'import a,* as b from "%s";', b"const b=%s,{default:a}=b;"),
        (b'import{a,b as c}from"%s";', b"const consent1=%s,{a:a,b:c}=consent1;"),
        (b'import {a,\n"b" as c} from "%s"', b'const consent1=%s,{a:a,"b":c}=consent1;\n'),
        (b'import {default as a} from "%s"', b"const consent1=%s,{default:a}=consent1;"),
        (b'export {a as b} from "%s";', b"const {a:consent1_0}=%s;export{consent1_0 as b};"),
        (b'export * as a from "%s";', b"const consent1=%s;export{consent1 as a};"),
        (b'export * from "%s";', b"%s;"),
    ],
)
def test_what_is_imported_of_a_service_is_waited_for(written: bytes, expected: bytes) -> None:
    before = b'// of our own\n"use strict"; /* * */ import "./own.js"\n'
    out = _rewritten(before + written % _FB + b"\nrun()")
    assert out.startswith(before + expected % _WAIT + b"\nrun()\nfunction consentImport(")


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b'import a from "./own.js"; import "https://pay.example.net/x.js"; run()',
        b"import('%s')" % _FB,
        b"import.meta.url; export default 1",
        b"var text = `\nimport '%s'`" % _FB,
        b'/* import "%s" */ run()' % _FB,
        b'// import "%s"' % _FB,
        b'import a from "%s" with {type: "json"}' % _FB,
        b"/* never ends",
        b"\xff\xfe\x00",
    ],
)
def test_every_other_script_stays_as_it_is(script: bytes) -> None:
    assert _rewritten(script) == script


def test_strict_waits_for_every_host_that_is_not_allowed() -> None:
    page = b'import "https://elsewhere.example/x.js"'
    assert _rewritten(page) == page
    assert _rewritten(page, strict=True).startswith(b'await consentImport("unlisted",')
    own = b'import "https://a.cdn.example/x.js"'
    assert _rewritten(own, strict=True) == own


def test_a_script_that_imports_nothing_is_not_waited_for() -> None:
    rewriter = ModuleRewriter(PLAN)
    assert rewriter.feed(b"// words\nvar i") == b"// words\nvar i"
    assert rewriter.feed(b'\nimport "%s"' % _FB) == b'\nimport "%s"' % _FB


def test_a_long_beginning_in_small_pieces_is_not_read_again_and_again() -> None:
    piece = b"*" * 1_000
    rewriter = ModuleRewriter(PLAN)
    began = time.process_time()
    assert rewriter.feed(b"/*") + b"".join(rewriter.feed(piece) for _ in range(1_000)) == b""
    assert rewriter.feed(b'*/import "%s"' % _FB) == b""
    assert b"await consentImport(" in rewriter.finish()
    assert time.process_time() - began < 1.0
    assert rewriter.feed(piece) == piece


_PARTS = (
    "import",
    "export",
    " ",
    "\n",
    "{a as b}",
    "*",
    ",",
    "from",
    "'",
    '"',
    ";",
    "/*",
    "*/",
    "//",
)
_SCRIPTS = st.lists(st.sampled_from((*_PARTS, "https://connect.facebook.net/x.js")), max_size=25)


@given(_SCRIPTS, st.integers(0, 200))
def test_a_script_is_read_alike_however_it_is_cut(parts: list[str], cut: int) -> None:
    script = "".join(parts).encode()
    assert _rewritten(script[:cut], script[cut:]) == _rewritten(script)
