"""Front ends: what a visitor clicks on each, and what the page shows then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Something that the visitor does, and what has to be there before the next step."""

    selector: str
    shows: str
    #: What is typed before, and where.
    types: tuple[str, str] | None = None
    #: The frame that shows it, if not the page itself.
    frame: str = ""


@dataclass(frozen=True)
class FrontEnd:
    """One front end under src/KEY and the way through it."""

    key: str
    #: What it is made with.
    made_with: str
    shows: str
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return self.key


FRONT_ENDS = (
    FrontEnd(
        "react",
        "React: router, lazy modules, error boundary, portal",
        "li >> text=Chair",
        (
            Step("#add", "li >> text=Desk", types=("#word", "Desk")),
            Step("#dark", "body.dark"),
            Step("#to-about", "#break"),
            Step("#break", "#failed"),
            Step("#to-shop", "li >> text=Lamp"),
        ),
    ),
    FrontEnd(
        "vue",
        "Vue: templates compiled in the page, async component, teleport",
        "text=2 items >> nth=0",
        (
            Step("#save", "h1 >> text=3 items", types=("#name", "Sofa")),
            Step("#show", "#details"),
            Step("#show", "body:not(:has(#details))"),
        ),
    ),
    FrontEnd(
        "svelte",
        "Svelte: transitions, IndexedDB, Cache Storage",
        "#cached",
        (
            Step("#keep", "text=1 stored", types=("#text", "Milk")),
            Step("#keep", "text=2 stored", types=("#text", "Bread")),
        ),
    ),
    FrontEnd(
        "preact",
        "Preact: workers, blob addresses, canvas, BroadcastChannel",
        "#count",
        (
            Step("#count", "li >> text=shared"),
            Step("#draw", "#picture"),
            Step("#tell", "#told"),
        ),
    ),
    FrontEnd(
        "jquery",
        "jQuery: getJSON, getScript, scripts in mark-up, cookies",
        "#load",
        (
            Step("#load", "li >> text=Chair"),
            Step("li >> text=Lamp", "li.chosen"),
            Step("#script", "#plugged"),
            Step("#html", "#posted"),
        ),
    ),
    FrontEnd(
        "htmx",
        "htmx: fragments, pushed addresses, forms",
        "#late",
        (
            Step("#boosted", "#second"),
            Step("#send", "#answer .said", types=("#name", "Ada")),
        ),
    ),
    FrontEnd(
        "alpine",
        "Alpine: templates, expressions in attributes, EventSource",
        "#clock >> text=stream",
        (
            Step("#add", "label >> text=Write", types=("#new", "Write")),
            Step("#add", "#many", types=("#new", "Read")),
            Step("label >> nth=0 >> input", "h1 >> text=1 to do"),
            Step("#open", "#menu"),
        ),
    ),
    FrontEnd(
        "three",
        "Three.js: WebGL, texture",
        "text=drawn 0.0",
        (Step("#turn", "text=drawn 0.3"),),
    ),
    FrontEnd(
        "leaflet",
        "Leaflet: tiles, marker, popup",
        "#state >> text=zoom 10",
        (
            Step(".leaflet-control-zoom-in", "#state >> text=zoom 11"),
            Step("text=Here", ".leaflet-popup >> text=Our shop"),
        ),
    ),
    FrontEnd(
        "lit",
        "Lit: shadow roots open, closed and declarative, form-associated element",
        "#fill",
        (
            Step("#fill", "li >> text=Chair"),
            Step("#submit", "#sent >> text=size=M"),
        ),
    ),
    FrontEnd(
        "cms",
        "A theme full of forms, frames, inline handlers, XMLHttpRequest and document.write",
        "theme-clock >> text=tick",
        (
            Step("#cards", "#plugged"),
            Step("#calls", "#called"),
            Step("#stores", "#stored"),
            Step("#ping", "#ping"),
            Step("#dialog", "dialog"),
            Step("#close", "#closed"),
            Step("#send", ".said >> text=Ada", types=("#name", "Ada"), frame="[name=answer]"),
            Step("#find", "theme-clock", types=("[name=q]", "lamp")),
        ),
    ),
)
