"""The matrix as a whole: every case in one engine, many visitors at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from playwright.async_api import async_playwright

from ..browsers import launch_options
from ..trackers import Trackers
from .answers import answer
from .case import Case, Engine
from .facts import Facts
from .pages import Level, MatrixPages
from .tabs import PlaywrightTab, Tab, VisitorLost
from .verdicts import Verdict, judge
from .walk import Walker

#: Visitors at a time.
CROWD = 8
#: Cases in one browser: Firefox keeps something of every visitor who is gone, 10 GB of a thousand.
_IN_ONE_BROWSER = 40
#: How often a case is begun: a browser that ends in the middle of it says nothing of us.
_TRIES = 3

OpenTab = Callable[[Trackers], Awaitable[Tab]]
#: (level, case) -> what failed, with what was seen.
Failures = dict[tuple[Level, str], dict[Verdict, str]]


@dataclass
class Measured:
    """What one engine showed."""

    #: Cases that do nothing without us in this engine: they prove nothing.
    silent: set[str] = field(default_factory=set)
    control: dict[str, Facts] = field(default_factory=dict)
    failures: Failures = field(default_factory=dict)


@asynccontextmanager
async def opened(engine: Engine) -> AsyncIterator[OpenTab]:
    """Open fresh visitors of an engine for the length of an async with block."""
    if engine == "webkit":
        from .webkit import running_display, webkit_tab  # noqa: PLC0415 (needs Selenium)

        with running_display() as display:
            yield lambda trackers: webkit_tab(trackers, display)
        return
    with Trackers() as sink:
        async with async_playwright() as playwright:
            kind = playwright.chromium if engine == "chromium" else playwright.firefox
            browser = await kind.launch(**launch_options(engine, sink))

            async def tab(trackers: Trackers) -> Tab:
                return await PlaywrightTab.open(browser, trackers)

            yield tab
            await browser.close()


async def measure(
    engine: Engine,
    pages: MatrixPages,
    cases: Iterable[Case],
    levels: Sequence[Level],
    visitors: int = CROWD,
) -> Measured:
    """Walk through the cases, each level with a fresh visitor, so many at a time."""
    measured = Measured()
    crowd = asyncio.Semaphore(visitors)

    async def one(open_tab: OpenTab, case: Case) -> None:
        async with crowd:
            try:
                await _persist(lambda: _measure_case(open_tab, pages, case, levels, measured))
            except BaseException as error:
                error.add_note(f"case {case.name} in {engine}")
                raise

    waiting = [case for case in cases if engine in case.engines]
    while waiting:
        these, waiting = waiting[:_IN_ONE_BROWSER], waiting[_IN_ONE_BROWSER:]
        async with opened(engine) as open_tab:
            await asyncio.gather(*(one(open_tab, case) for case in these))
    return measured


async def _persist(measuring: Callable[[], Awaitable[None]]) -> None:
    for _ in range(_TRIES - 1):
        with suppress(VisitorLost):
            return await measuring()
    return await measuring()


async def _measure_case(
    open_tab: OpenTab, pages: MatrixPages, case: Case, levels: Sequence[Level], into: Measured
) -> None:
    async with _walker(open_tab, pages, case, "control") as walker:
        control = await walker.control()
    into.control[case.name] = control
    if not (control.left or control.stored):
        into.silent.add(case.name)
        return
    for level in levels:
        async with _walker(open_tab, pages, case, level) as walker:
            walk = await walker.walk(control)
        found = judge(case, level, control, walk)
        if found:
            into.failures[level, case.name] = found


@asynccontextmanager
async def _walker(
    open_tab: OpenTab, pages: MatrixPages, case: Case, level: Level
) -> AsyncIterator[Walker]:
    with Trackers(answer=answer) as trackers:
        trackers.delays = {case.spell(url): delay for url, delay in case.delays.items()}
        tab = await open_tab(trackers)
        try:
            yield Walker(tab, trackers, pages, case, level)
        finally:
            await tab.close()
