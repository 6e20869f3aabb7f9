"""Built cores of the script, and the parts that are added to them."""

from __future__ import annotations

import re
from functools import cache

from consent_server.paths import asset_dir

#: Round the statement of a core that calls the added parts, as widget/build.mjs writes it.
_PARTS_START, _PARTS_END = "/*parts*/", "/**/"
#: One thing of the kit there: its values are names, or functions without a comma.
_KIT_ENTRY = re.compile(r"(?<=[{,])(?P<name>\w+):[^,{}]*,?")


@cache
def read_core(*parts: str, added: tuple[str, ...] = ()) -> str:
    """Return the built core with these parts; the builds are committed under static/widget.

    `parts` are built into the core; `added` are functions of their own (widget/src/kit.ts), which
    it calls before anything is released.
    """
    core = _read_built("-".join(("core", *parts)))
    before, _, rest = core.partition(_PARTS_START)
    call, _, after = rest.partition(_PARTS_END)
    return (
        before + _call_parts(call, [_read_built(f"part-{name}").strip() for name in added]) + after
    )


def _call_parts(call: str, parts: list[str]) -> str:
    """Put the parts into the statement that hands them the kit, with what they use of it alone."""
    if not parts:
        return ""
    used = {name for part in parts for name in re.findall(r"\w+", part)}
    kit = _KIT_ENTRY.sub(
        lambda entry: "" if entry["name"] not in used or ":void 0" in entry[0] else entry[0], call
    )
    return kit.replace("PARTS", f"[{','.join(parts)}]", 1)


def _read_built(name: str) -> str:
    return (asset_dir("static") / "widget" / f"{name}.js").read_text(encoding="utf-8")
