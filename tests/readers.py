"""Readers: the one for Python, as a site's own server has it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "examples" / "readers"


def load_reader() -> ModuleType:
    """Return the reader as a module; it belongs to no package."""
    name = "consent_reader"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / "python" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # data classes look their module up
        spec.loader.exec_module(module)
    return sys.modules[name]
