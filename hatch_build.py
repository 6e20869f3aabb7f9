"""Build hook: compile the translations, for wheels and for editable installs alike.

Without it a wheel built from the sdist would speak English only, and silently.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileTranslations(BuildHookInterface):  # type: ignore[type-arg]
    """Turn each messages.po into the messages.mo beside it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are gathered."""
        for po_file in sorted(Path(self.root, "translations").glob("*/LC_MESSAGES/*.po")):
            with po_file.open("rb") as source:
                catalogue = read_po(source, locale=po_file.parts[-3])
            with po_file.with_suffix(".mo").open("wb") as target:
                write_mo(target, catalogue)
