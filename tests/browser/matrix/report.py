"""Report: docs/blocking.md, written from the cases and the record of the last whole run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .case import Case, Engine
from .cases import CASES, FAMILIES
from .later import LATER
from .reasons import SILENT, reason_of
from .record import Gaps, read_record

FILE = Path(__file__).parents[3] / "docs" / "blocking.md"
#: What failed when the later cases were first walked, before anything was mended for them.
FIRST_RUN = Path(__file__).with_name("first_run.json")

_NAMES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKitGTK"}
_LEVELS = {
    "gate": "Level 1: one tag, the site unchanged",
    "strict": "Level 1, strict: every other host held",
    "declared": "Level 2: declared mark-up",
    "rewritten": "Level 3: the page rewritten, with the strict gate",
}
_INTRODUCTION = """# What is held, and what cannot be

<!-- Written by the tests: python -m pytest -m matrix tests/browser/matrix -->

{count} ways in which a page loads, sends or stores something for a service, each in a fresh
browser, with a stand-in for every tracker. What counts is what the stand-in was asked and what lay
in the browser's storage. Each way is first walked without us: one that does nothing there proves
nothing, and does not count in that engine.

| column | what it counts |
|---|---|
| ways | those that leave something without us in this engine |
| no request | nothing asked, no connection opened before the decision or after a withdrawal |
| nothing ran | no code of a service ran before the decision |
| nothing stored | no cookie and no storage item before the decision |
| once | after consent each request once, code in its order, without loading the page again |
| over | after withdrawal nothing sends or runs; cookies and storage are gone, for good |

At level 1 a request for a script, a style sheet or a picture that stands in the mark-up may leave:
browsers read ahead of every script. What comes back is neither run nor applied. Where not even the
request may leave, declare the element (level 2) or let the page be rewritten (level 3).
"""


def render() -> str:
    """The whole document."""
    parts = [_INTRODUCTION.format(count=len(CASES))]
    for engine, levels in read_record().items():
        parts.append(f"\n## {_NAMES[engine]}\n")
        cases = [one for one in CASES if engine in one.engines and one.name not in levels["silent"]]
        for level, title in _LEVELS.items():
            if level in levels:
                missing = levels["missing"].get(level, [])
                walked = [one for one in cases if one.family not in missing]
                table = "\n".join(_table(walked, levels[level]))
                parts.append(f"\n### {title}\n\n{table}\n")
                parts.append(_gaps(engine, walked, level, levels[level]))
                parts.append(f"\nNot walked yet: {', '.join(missing)}.\n" if missing else "")
        parts.append(_silent(engine, list(levels["silent"])))
        parts.append(_lacking([one.name for one in CASES if engine not in one.engines]))
    parts.append(_first_run(json.loads(FIRST_RUN.read_text("utf-8"))))
    return "".join(parts)


def _first_run(gaps: Gaps) -> str:
    def passed(*verdicts: str) -> int:
        return sum(not set(verdicts) & set(gaps.get(one.name, ())) for one in LATER)

    listed = "\n".join(
        f"- `{name}`: {', '.join(_WORDS[verdict] for verdict in verdicts)}"
        for name, verdicts in gaps.items()
    )
    return _FIRST_RUN.format(
        count=len(LATER),
        requested=passed("requested"),
        clean=passed("ran", "stored"),
        every=passed("requested", "ran", "stored", "after", "withdrawn"),
        gaps=listed,
    )


_FIRST_RUN = """
## Ways that the gate was not written for

{count} further ways, taken from the HTML, CSS, SVG and ECMAScript standards once the gate was
there, and walked once in Chromium with the strict gate before anything was changed for them:
{requested} of {count} asked nothing before the decision, {clean} of {count} ran and stored nothing,
{every} of {count} passed in every column. What failed then:

{gaps}
"""


def _table(cases: list[Case], gaps: Gaps) -> Iterator[str]:
    yield "| family | ways | no request | nothing ran | nothing stored | once | over |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for family in FAMILIES:
        if found := [one for one in cases if one.family == family]:
            yield _row(family, found, gaps)
    yield _row("**all**", cases, gaps)


def _row(name: str, cases: list[Case], gaps: Gaps) -> str:
    def passed(*verdicts: str) -> int:
        return sum(not set(verdicts) & set(gaps.get(one.name, ())) for one in cases)

    counts = [len(cases), passed("requested"), passed("ran"), passed("stored")]
    counts += [passed("after"), passed("withdrawn")]
    return f"| {name} | " + " | ".join(str(count) for count in counts) + " |"


_WORDS = {
    "requested": "request",
    "ran": "ran",
    "stored": "stored",
    "after": "once",
    "withdrawn": "over",
}


def _gaps(engine: Engine, cases: list[Case], level: str, gaps: Gaps) -> str:
    """Gaps grouped by what failed and why."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in cases:
        if verdicts := gaps.get(one.name):
            reason = reason_of(engine, one.name, level, list(verdicts))
            failed = ", ".join(_WORDS[verdict] for verdict in verdicts)
            groups.setdefault((failed, reason), []).append(f"`{one.name}`")
    if not groups:
        return "\nNo gaps.\n"
    lines = [
        f"- {failed}: {', '.join(names)}. {reason}" for (failed, reason), names in groups.items()
    ]
    return "\nGaps:\n\n" + "\n".join(lines) + "\n"


def _silent(engine: Engine, names: list[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names)
    why = f" {SILENT[engine]}" if engine in SILENT else ""
    return f"\nNothing leaves without us in this engine: {listed}.{why}\n"


def _lacking(names: list[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names)
    return f"\nNot walked, as this engine lacks what they use: {listed}.\n"


def write() -> None:
    """Write the document."""
    FILE.write_text(render(), "utf-8")
