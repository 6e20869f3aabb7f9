"""Table: docs/law.md, made from the rules and the names of their tests.

`python -m tests.browser.law.table` writes it; a test compares.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.documentation import ROOT

from .rules import RULES, Rule

FILE = ROOT / "docs" / "law.md"
_HEAD = """# The law, as tests

For data-protection officers and auditors. What the law asks of a notice, where it says so, and the
tests that hold this product to it. They run against the real server in real browsers, on pages with
stand-ins for the trackers, and judge by what went over the wire and what was stored. What no test
can tell is said, too. This is no legal advice.

Each test has the id of its rule in its name. All of them:

```sh
.venv/bin/python -m pytest tests/browser/law
```

This page is made by `tests/browser/law/table.py` from `tests/browser/law/rules.toml`.

"""


@cache
def names_in(file: Path) -> tuple[str, ...]:
    """Return the names of the tests of a file, in order."""
    tree = ast.parse(file.read_text("utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return tuple(one.name for one in functions if one.name.startswith("test_"))


def find_tests(rule: Rule) -> list[tuple[Path, str]]:
    """Return the tests that carry the rule's id, wherever they stand."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        (file, name) for file in files for name in names_in(file) if name.startswith(rule.prefix)
    ]


def _sentence(name: str, prefix: str = "test_") -> str:
    return name.removeprefix(prefix).replace("_", " ")


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _section(rule: Rule) -> str:
    parts = [f"## {rule.id}", rule.asks, f"*{rule.source}*"]
    found = find_tests(rule)
    for file in dict.fromkeys(file for file, _ in found):
        listed = [f"- {_sentence(name, rule.prefix)}" for one, name in found if one == file]
        parts += [f"`{_path(file)}`:", "\n".join(listed)]
    if rule.elsewhere:
        places = [one.split("::") for one in rule.elsewhere]
        listed = [f"- {_sentence(name)} (`{file}`)" for file, name in places]
        parts += ["Also:", "\n".join(listed)]
    if rule.judged:
        parts.append(f"**Not by a test.** {rule.judged}")
    return "\n\n".join(parts)


def spell_page() -> str:
    """Return the page as it must be."""
    return _HEAD + "\n\n".join(map(_section, RULES)) + "\n"


if __name__ == "__main__":
    FILE.write_text(spell_page(), "utf-8")
