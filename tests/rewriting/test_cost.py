"""Cost: memory does not grow with the page, and the page is not read twice."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from consent_server.rewriting import Rewriter, rewrite
from consent_server.rewriting.modules import ModuleRewriter

from .conftest import PLAN, STRICT

_ROW = (
    b'<div class="card"><a href="/p/1?a=1&amp;b=2"><span>Item</span></a>'
    b'<img src="/i/1.png" alt=""><p>Lorem ipsum dolor sit amet, consectetur adipiscing.</p>'
    b"<script>var own = 1;</script><!-- end --></div>\n"
)


def _peak(megabytes: int) -> int:
    chunk = _ROW * (65_536 // len(_ROW))
    rewriter = Rewriter(PLAN)
    tracemalloc.start()
    try:
        for _ in range(megabytes * 16):
            rewriter.feed(chunk)
        rewriter.finish()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_four_times_the_page_takes_no_more_memory() -> None:
    assert _peak(4) < _peak(1) * 1.2


@pytest.mark.parametrize(
    "page", [b"<!-- %s", b"<script>/*%s", b"<noscript>%s", b"<template data-consent=a>%s"]
)
def test_what_is_not_closed_is_not_kept(page: bytes) -> None:
    peaks = []
    for size in (2, 8):
        rewriter = Rewriter(PLAN, whole=False)
        tracemalloc.start()
        rewriter.feed(page % b"")
        for _ in range(size * 16):
            rewriter.feed(b"words and " * 6_554)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_long_comment_before_a_module_takes_little_memory() -> None:
    rewriter = ModuleRewriter(PLAN)
    tracemalloc.start()
    try:
        rewriter.feed(b"/*" + b"words " * 100_000 + b"*/ import '/own.js'")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_byte_goes_out_as_soon_as_its_tag_is_whole() -> None:
    rewriter = Rewriter(PLAN)
    assert rewriter.feed(b"<!doctype html><html><head><title>A").endswith(b"<title>")
    assert rewriter.feed(b"</title><p>Words go on, ").endswith(b"<p>Words go on, ")
    assert rewriter.feed(b"and on <img src=/a") == b"and on "
    assert rewriter.feed(b">") == b"<img src=/a>"


@pytest.mark.parametrize(
    "page",
    [
        b"<style>" + b"url(" * 50_000,
        b"<style>" + b"image-set(" * 20_000,
        b"<script>import" + b" " * 200_000,
        b"<script type=module>from (" + b" " * 200_000,
    ],
    ids=lambda page: page[:20].decode(),
)
def test_what_is_written_to_be_slow_is_read_once(page: bytes) -> None:
    start = time.process_time()
    for _ in rewrite([page, b"</style></script>"], STRICT):
        pass
    assert time.process_time() - start < 2
