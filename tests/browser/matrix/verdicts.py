"""Verdicts: what the facts of a case mean, each gap with what was seen."""

from __future__ import annotations

from typing import Literal

from .case import Case
from .facts import Facts, counts
from .pages import Level
from .walk import Walk

#: before: three facts of their own; after: once, in order, no reload; withdrawn: over and clean.
Verdict = Literal["requested", "ran", "stored", "after", "withdrawn"]
VERDICTS: tuple[Verdict, ...] = ("requested", "ran", "stored", "after", "withdrawn")


def judge(case: Case, level: Level, control: Facts, walk: Walk) -> dict[Verdict, str]:
    """Every verdict that failed, with what was seen; empty where all is well."""
    found: dict[Verdict, str] = {}
    if walk.before.left:
        found["requested"] = ", ".join(walk.before.asked or sorted(walk.before.reached))
    # Held as a whole, not even the page's own code for the service may run.
    ran = (*walk.before.ran, *(walk.before.marks if level == "declared" else ()))
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
    arrange = tuple if case.ordered else sorted
    if list(arrange(after.ran)) != list(arrange(control.ran)):
        return f"ran {list(after.ran)} instead of {list(control.ran)}"
    # The page's own code is held only where the owner says so.
    if level == "declared" and list(arrange(after.marks)) != list(arrange(control.marks)):
        return f"said {list(after.marks)} instead of {list(control.marks)}"
    return ""


def _withdrawn(control: Facts, walk: Walk) -> str:
    # What the browser does ahead of every script it does on each page.
    early = walk.before.reached
    for when, facts in (("at once", walk.withdrawn), ("on the next page", walk.later)):
        asked = [one for one in facts.asked if one.split("/")[2] not in early]
        if asked or facts.ran or facts.reached - early:
            return f"{when}: {asked or facts.ran or sorted(facts.reached)}"
        kept = facts.stored & control.stored
        if kept:
            return f"{when} still stored: {', '.join(sorted(kept))}"
    return ""
