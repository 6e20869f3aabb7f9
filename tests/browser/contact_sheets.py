"""Contact sheets: one form of the notice in every state and in six languages, side by side."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from .browsers import Browsers
from .states import STATES, Look, show_state
from .trackers import Trackers

WIDTHS = {320: 640, 768: 1024, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: Short words, long ones, other letters, right to left.
LANGUAGES = ("en", "fi", "sv", "de", "el", "ar")
#: Width of a sheet in pixels.
_SHEET = 1500


def take_sheets(
    browsers: Browsers,
    trackers: Trackers,
    folder: Path,
    form: str,
    states: Iterable[str] = STATES,
    languages: Iterable[str] = LANGUAGES,
) -> None:
    """Photograph the form, then paste: one sheet for each state, width and colour scheme.

    The pictures are in FOLDER/FORM, the sheets in FOLDER.
    """
    pictures = folder / form
    pictures.mkdir(parents=True, exist_ok=True)
    languages = tuple(languages)
    for state in states:
        for language in languages:
            _photograph(browsers, trackers, pictures, Look(language, form), state)
        for width in WIDTHS:
            for scheme in SCHEMES:
                files = [
                    pictures / f"{state}-{language}-{width}-{scheme}.png" for language in languages
                ]
                _paste(browsers, trackers, files, folder / f"{form}-{state}-{width}-{scheme}.png")


def _photograph(
    browsers: Browsers, trackers: Trackers, folder: Path, look: Look, state: str
) -> None:
    small = {"width": 320, "height": WIDTHS[320]}
    context = browsers.new_profile("chromium", trackers, viewport=small, reduced_motion="reduce")
    page = show_state(context, state, look)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=folder / f"{state}-{look.language}-{width}-{scheme}.png")
    context.close()


def _paste(browsers: Browsers, trackers: Trackers, files: list[Path], sheet: Path) -> None:
    columns = 6 if "-320-" in sheet.name else 3
    figures = "".join(
        f"<figure><figcaption>{file.stem}</figcaption>"
        f'<img src="{os.path.relpath(file, sheet.parent)}"></figure>'
        for file in files
    )
    source = sheet.with_suffix(".html")
    style = (
        f"body {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 6px; "
        "margin: 4px; font: 11px sans-serif } figure { margin: 0 } img { width: 100% }"
    )
    source.write_text(f"<!doctype html><style>{style}</style>{figures}", encoding="utf-8")
    context = browsers.new_profile("chromium", trackers, viewport={"width": _SHEET, "height": 600})
    page = context.new_page()
    page.goto(source.resolve().as_uri())
    page.screenshot(path=sheet, full_page=True)
    context.close()
    source.unlink()
