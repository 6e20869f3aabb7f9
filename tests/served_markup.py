"""Served mark-up: what a page loads by itself, what it holds, what it links to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_LOADING = ("src", "srcset", "poster", "data", "href")
_FOREIGN = re.compile(r"(https?:)?//")
_ADDRESS = re.compile(r"https://[^\s'\"]+")


@dataclass(frozen=True)
class Held:
    """A tag that waits for consent: its service, its kind, the address it will ask."""

    service: str
    kind: str
    address: str


@dataclass
class Markup(HTMLParser):
    """A page taken apart; `read` makes one."""

    language: str = ""
    classes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    _open: list[tuple[str, str]] = field(default_factory=list)
    _held_inline: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def _inside(self, tag: str) -> str | None:
        return next((waits for name, waits in reversed(self._open) if name == tag), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        template = self._inside("template")
        waits = given.get("data-consent") or template or ""
        if tag in {"template", "noscript", "script", "h2", "nav"}:
            self._open.append((tag, waits))
        if tag == "html":
            self.language = given["lang"]
        self.classes.update(given.get("class", "").split())
        self.ids.update(filter(None, [given.get("id")]))
        if tag == "h2" and self._inside("nav") is None:
            self.sections.append("")
        self._held_inline = ""
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif waits:
            self._hold(tag, given, waits)
        else:
            self._load(given)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._held_inline and "createElement(" in data:
            address = _ADDRESS.findall(data)[0]
            self.held.append(Held(self._held_inline, "async", address))
        if self._open and self._open[-1][0] == "h2" and self._inside("nav") is None:
            self.sections[-1] += data
        self.text.append(data)

    def _load(self, given: dict[str, str]) -> None:
        for name in _LOADING:
            if name not in given:
                continue
            (self.foreign if _FOREIGN.match(given[name]) else self.files).append(given[name])

    def _hold(self, tag: str, given: dict[str, str], waits: str) -> None:
        if self._inside("template") is not None and self._inside("noscript") is not None:
            return  # plain text for a browser with scripting
        # In a template as well: Firefox fetches ahead what stands there.
        self._load(given)
        service, address = waits.removeprefix("service:"), given.get("data-consent-src")
        if tag == "script" and not address:
            self._held_inline = service
        elif address:
            kinds = {"script": "async" if "async" in given else "script", "iframe": "embed"}
            self.held.append(Held(service, kinds.get(tag, tag), address))


def read(page: str) -> Markup:
    """Take a page apart."""
    markup = Markup()
    markup.feed(page)
    markup.close()
    return markup
