"""A walk through one case: before, after consent, after withdrawal, and the next page."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..trackers import Trackers
from .case import Case
from .facts import Facts, look
from .pages import Level, MatrixPages
from .tabs import Tab

#: How long silence is watched: nothing tells when something does not come.
WATCHED = 0.7
#: Nothing new for so long means that all has come.
QUIET = 0.5
#: Longer than the pause between two signs of life of code that runs.
SILENCE = 1.0
#: By then a case has shown what it does, or it does nothing.
PATIENCE = 10.0

_PRESS = """() => {
  const host = document.querySelector('consent-notice');
  const found = host && host.shadowRoot.querySelector('[data-consent-action=accept_all]');
  if (found) found.click();
  return !!found;
}"""


@dataclass(frozen=True)
class Walk:
    """What was seen on the way."""

    before: Facts
    after: Facts
    #: The same document was there before and after consent.
    stayed: bool
    #: Anything that left, ran or was there once consent was withdrawn, without opening a page.
    withdrawn: Facts
    #: The same on the next page.
    later: Facts


@dataclass
class Walker:
    """A visitor on the page of one case at one level."""

    tab: Tab
    trackers: Trackers
    pages: MatrixPages
    case: Case
    level: Level
    _heard: list[str] = field(default_factory=list)

    @property
    def _address(self) -> str:
        return self.pages.address(self.level, self.case)

    async def control(self) -> Facts:
        """What the page does without us."""
        await self.tab.go(self._address)
        await self._act()
        # A page that does nothing is waited for only as long as one is waited for elsewhere.
        await self._until(lambda: bool(self.trackers.seen), WATCHED)
        await self._settle()
        facts = await self._look()
        if facts.reached and not facts.asked:  # a connection is open: what is asked of it?
            await self._until(lambda: bool(look(self.trackers, (), ()).asked), PATIENCE)
            await self._settle()
            facts = await self._look()
        return facts

    async def walk(self, control: Facts) -> Walk:
        """The whole way."""
        await self.tab.go(self._address)
        await self._act()
        await asyncio.sleep(WATCHED)
        before = await self._look()
        if self.case.act == "leave":
            await self.tab.go(self._address)
        await self._forget()
        after, stayed = await self._consent(control)
        if self.case.act == "leave":
            await self.tab.go(self._address)
        withdrawn = await self._withdraw()
        await self._forget()
        await self.tab.go(self._address)
        await self._act()
        await asyncio.sleep(WATCHED)
        return Walk(before, after, stayed, withdrawn, await self._look())

    async def _consent(self, control: Facts) -> tuple[Facts, bool]:
        await self.tab.run("() => { window.__still_here = true }")
        await self._until_pressed()
        wanted = set(control.asked)
        gone = self.case.act == "leave"
        stayed = True

        def is_all() -> bool:
            facts = look(self.trackers, self._heard, ())
            return wanted <= set(facts.asked) and len(facts.ran) >= len(control.ran)

        if self.case.act:
            await self._until(is_all, 3 * QUIET)
            if gone:  # tags run after the next picture: who goes before it lets none run
                await asyncio.sleep(QUIET)
            stayed = await self.tab.run("() => window.__still_here === true")
            if gone or not is_all():  # what the visitor did before may have been kept
                await self._act()
        await self._until(is_all, PATIENCE)
        await self._settle()
        if not gone:
            stayed = await self.tab.run("() => window.__still_here === true")
        return await self._look(), stayed

    async def _withdraw(self) -> Facts:
        """Withdraw, let a page that reloads do so, and watch from then on."""
        with contextlib.suppress(Exception):  # the page may go while it answers
            await self.tab.run("() => consent.withdraw()")
        await self._until_silent()
        await self._forget()
        await asyncio.sleep(QUIET)
        return await self._look()

    async def _until_pressed(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await self.tab.run(_PRESS):
            assert time.monotonic() < deadline, f"{self.case.name}: nobody asks"
            await asyncio.sleep(0.05)

    async def _act(self) -> None:
        if self.case.act == "click":
            if await self.tab.run("() => !!document.querySelector('#act')"):  # or it is held
                await self.tab.press("#act")
        elif self.case.act == "leave":
            await self.tab.go(f"{self.pages.url}/elsewhere")

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            await self._hear()

    async def _settle(self) -> None:
        """Until nothing new has come for a while; what repeats itself does not count."""
        last, since = -1, time.monotonic()
        end = since + PATIENCE
        quiet = QUIET + max(self.case.delays.values(), default=0)
        while time.monotonic() - since < quiet and time.monotonic() < end:
            await self._hear()
            seen = [one for one in self.trackers.seen if one.path != "/alive"]
            count = len(seen) + len(self._heard)
            if count != last:
                last, since = count, time.monotonic()
            await asyncio.sleep(0.05)

    async def _until_silent(self) -> None:
        """Until not even what repeats itself has come for a while, or it goes on and on."""
        since, count = time.monotonic(), -1
        end = since + PATIENCE
        while time.monotonic() - since < SILENCE and time.monotonic() < end:
            if count != len(self.trackers.seen):
                since, count = time.monotonic(), len(self.trackers.seen)
            await asyncio.sleep(0.05)

    async def _hear(self) -> None:
        self._heard += await self.tab.said()

    async def _forget(self) -> None:
        self.trackers.clear()
        await self.tab.said()
        self._heard.clear()

    async def _look(self) -> Facts:
        stored = await self.tab.stored()
        await self._hear()
        return look(self.trackers, self._heard, stored)
