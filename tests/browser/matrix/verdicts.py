"""Verdicts: what the facts of a case mean, each gap with what was seen."""

from __future__ import annotations

from typing import Literal

from .case import Case
from .facts import Facts, counts
from .pages import Level
from .walk import Walk

#: Without consent: three facts of their own; after: once, in order, no reload; withdrawn: over and
#: clean, and no code runs on the next page.
Verdict = Literal["requested", "ran", "stored", "after", "withdrawn"]
VERDICTS: tuple[Verdict, ...] = ("requested", "ran", "stored", "after", "withdrawn")


def judge(case: Case, level: Level, control: Facts, walk: Walk) -> dict[Verdict, str]:
    """Every verdict that failed, with what was seen; empty where all is well."""
    found: dict[Verdict, str] = {}
    # A page after a withdrawal is a page without consent: what the browser asks for ahead of every
    # script, which it does in some loads only, counts on either.
    left = [one for one in (walk.before, walk.later) if one.left]
    if left:
        found["requested"] = ", ".join(left[0].asked or sorted(left[0].reached))
    # Held as a whole, not even the page's own code for the service may run.
    ran = (*_ran(walk.before), *(walk.before.marks if level == "declared" else ()))
    if ran:
        found["ran"] = ", ".join(ran)
    if walk.before.stored:
        found["stored"] = ", ".join(sorted(walk.before.stored))
    after = _after(case, level, control, walk)
    if after:
        found["after"] = after
    over = _withdrawn(control, walk)
    if over:
        found["withdrawn"] = over
    return found


def _unheard(facts: Facts) -> frozenset[str]:
    """Hosts whose code ran, as only their own server heard."""
    return facts.alive - {address.split("/")[2] for address in facts.ran}


def _ran(facts: Facts) -> tuple[str, ...]:
    """Code that ran: what said so, and what only its own server heard of."""
    return (*facts.ran, *(f"code of {host}" for host in sorted(_unheard(facts))))


def _after(case: Case, level: Level, control: Facts, walk: Walk) -> str:
    if not walk.stayed:
        return "the page was loaded again"
    wanted, got = counts(control), counts(walk.after)
    early = counts(walk.before)
    # Of what is sent as a page goes, often the connection alone is seen: it counts as having left.
    addresses = set() if case.act == "leave" else {*wanted, *got}
    for address in addresses:
        # What the browser asked for ahead of us may lie in the page already.
        least = 0 if early[address] else wanted[address]
        if got[address] < min(least, 1):
            return f"never asked: {address}"
        if case.counted and not least <= got[address] <= max(wanted[address], least):
            return f"asked {got[address]} times instead of {wanted[address]}: {address}"
    if not control.stored <= walk.after.stored:
        return f"not stored: {', '.join(sorted(control.stored - walk.after.stored))}"
    if not control.reached <= walk.after.reached | walk.before.reached:
        return "never reached"
    return _order(case, level, control, walk.after)


def _order(case: Case, level: Level, control: Facts, after: Facts) -> str:
    # Our own hooks may hold what tells the server: only where nothing else is heard, it counts.
    if not _unheard(control) <= after.alive:
        return f"never ran: code of {', '.join(sorted(_unheard(control) - after.alive))}"
    arrange = tuple if case.ordered else sorted
    if list(arrange(after.ran)) != list(arrange(control.ran)):
        return f"ran {list(after.ran)} instead of {list(control.ran)}"
    # The page's own code is held only where the owner says so.
    if level == "declared" and list(arrange(after.marks)) != list(arrange(control.marks)):
        return f"said {list(after.marks)} instead of {list(control.marks)}"
    return ""


def _withdrawn(control: Facts, walk: Walk) -> str:
    at_once, later = walk.withdrawn, walk.later
    # What the browser does ahead of every script it does on each page.
    early = walk.before.reached
    asked = [one for one in at_once.asked if one.split("/")[2] not in early]
    if asked or _ran(at_once) or at_once.reached - early:
        return f"at once: {asked or _ran(at_once) or sorted(at_once.reached)}"
    if _ran(later):
        return f"on the next page: {_ran(later)}"
    for when, facts in (("at once", at_once), ("on the next page", later)):
        kept = facts.stored & control.stored
        if kept:
            return f"{when} still stored: {', '.join(sorted(kept))}"
    return ""
