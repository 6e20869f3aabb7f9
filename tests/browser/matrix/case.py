"""A case of the matrix: a fragment as a site would really have it, and the same one declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Engine = Literal["chromium", "firefox", "webkit"]
#: What the visitor does before anything leaves: nothing, presses `#act`, or goes to another page.
Act = Literal["", "click", "leave"]

#: Short words of the fragments; hosts are those by which the catalogue knows its services.
_WORDS = {
    "@ga": "https://www.google-analytics.com",
    "@fb": "https://connect.facebook.net",
    "@hj": "https://static.hotjar.com",
    "@li": "https://px.ads.linkedin.com",
    "@yt": "https://www.youtube.com",
    "@vi": "https://player.vimeo.com",
    "@un": "https://cdn.unlisted-tracker.com",
}


@dataclass(frozen=True)
class Case:
    """One way of one service; `page` and `head` are untouched, `declared*` the owner's own work."""

    name: str
    page: str
    service: str = "google-analytics"
    declared: str = ""
    head: str = ""
    declared_head: str = ""
    act: Act = ""
    #: Scripts run in document order in this one, so the order is compared.
    ordered: bool = True
    #: How often a resource is asked for is the browser's own affair (media come in ranges).
    counted: bool = True
    #: Engines that have the feature at all; the control run shows it.
    engines: tuple[Engine, ...] = ("chromium", "firefox", "webkit")
    delays: Mapping[str, float] = field(default_factory=dict)
    #: Further files of the page's own origin: name -> text.
    files: Mapping[str, str] = field(default_factory=dict)
    family: str = ""

    def fragment(self, declared: bool) -> tuple[str, str]:
        """What stands in head and body, its short words written out."""
        head = self.declared_head if declared else self.head
        body = self.declared if declared else self.page
        return self.spell(head), self.spell(body)

    def spell(self, text: str) -> str:
        """Write the short words out."""
        held = f'data-consent="service:{self.service}"'
        words = {**_WORDS, "@held": held, "@off": f'type="text/plain" {held}'}
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        return text


def code(name: str, script: str, *, before: str = "", after: str = "", **more: object) -> Case:
    """A case that is an inline script; declared, the script is held as a whole."""
    page = f"{before}<script>{script}</script>{after}"
    declared = f"{before}<script @off>{script}</script>{after}"
    made = Case(name, page, declared=declared)
    return replace(made, **more)  # type: ignore[arg-type]


def src(name: str, tag: str, attribute: str = "src", **more: object) -> Case:
    """A case that is one element with one address; declared, its address is held."""
    declared = tag.replace(f" {attribute}=", f" @held data-consent-{attribute}=")
    return replace(Case(name, tag, declared=declared), **more)  # type: ignore[arg-type]


def script(name: str, attributes: str, **more: object) -> Case:
    """A case that is one external script."""
    declared = attributes.replace("src=", "data-consent-src=")
    if 'type="module"' in declared:
        declared = declared.replace('type="module"', 'data-consent-type="module"')
    made = Case(
        name, f"<script {attributes}></script>", declared=f"<script @off {declared}></script>"
    )
    return replace(made, **more)  # type: ignore[arg-type]


def named(family: str, *cases: Case) -> tuple[Case, ...]:
    """The cases of a family."""
    return tuple(replace(one, family=family) for one in cases)
