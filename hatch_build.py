"""Build hook: compile the translations, for wheels and for editable installs alike.

Without it a wheel built from the sdist would speak English only, and silently.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileTranslations(BuildHookInterface):  # type: ignore[type-arg]
    """Turn each .po into the .mo beside it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are gathered."""
        po_files = sorted(Path(self.root, "translations").glob("*/LC_MESSAGES/*.po"))
        if not po_files:
            raise FileNotFoundError("translations/*/LC_MESSAGES/*.po: nothing to compile")
        for po_file in po_files:
            compiled, mo_file = _compile(po_file), po_file.with_suffix(".mo")
            # A server that runs from the checkout may be reading it right now.
            if not mo_file.exists() or mo_file.read_bytes() != compiled:
                mo_file.write_bytes(compiled)


def _compile(po_file: Path) -> bytes:
    with po_file.open("rb") as source:
        catalogue = read_po(source, locale=po_file.parts[-3])
    target = BytesIO()
    write_mo(target, catalogue)
    return target.getvalue()
