"""Layers: imports go down only, and what must not be known low down is not known there."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "consent_server"
ANY = frozenset({"*"})


@dataclass(frozen=True)
class Layer:
    """Modules of one height: the layers and the libraries they may import, and why."""

    modules: frozenset[str]
    below: frozenset[str]
    libraries: frozenset[str]
    reason: str


def _layer(modules: str, below: str, libraries: str, reason: str) -> Layer:
    names, lower, allowed = (frozenset(text.split()) for text in (modules, below, libraries))
    return Layer(names, lower, allowed, reason)


LAYERS = {
    "free": _layer(
        "__init__ errors config later paths",
        "free",
        "environs",
        "every layer raises errors, reads settings and finds files; an answer may come later",
    ),
    "rules": _layer(
        "rules",
        "free",
        "",
        "the same input gives the same output in ten years: an auditor runs them again",
    ),
    "store": _layer(
        "store",
        "free rules",
        "sqlalchemy alembic",
        "it keeps rows and knows nothing of why",
    ),
    "use_cases": _layer(
        "appending archive audit bundle catalogue connector_check connector_form connectors "
        "continuity copies cores delivery diagnosis diagnosis_texts doctor doctor_sites "
        "durations erasure following forms gauges gpp handing_over identifying languages ledger "
        "ledger_check ledger_contents ledger_keys metrics own_record packing proofs published "
        "pushing readiness reasons recall record_copy record_forms record_lines regime_check "
        "regime_texts regions render_proofs retention rights sealing services signing site_check "
        "site_form site_notes site_secrets sites snapshot targets texts theme theme_form totals "
        "wanted webhook_deliveries webhooks widget widget_texts witness word_check",
        "free rules store use_cases verification",
        "babel brotli cryptography marshmallow maxminddb sqlalchemy",
        "plain functions that the API, the pages and the commands all call",
    ),
    "verification": _layer(
        "verification",
        "rules verification",
        "cryptography",
        "it must be true without our database, our server and our word",
    ),
    "rewriting": _layer(
        "rewriting",
        "free rules store use_cases rewriting",
        "brotli sqlalchemy",
        "it stands in other people's applications, of whatever framework",
    ),
    "demo": _layer("demo", "free rules store use_cases demo", "*", "an edge: the demo's pages"),
    "api": _layer("api", "free rules store use_cases api", "*", "an edge: routes and pages"),
    "app": _layer("app", "free rules store use_cases api demo", "*", "where the parts meet"),
    "cli": _layer(
        "cli __main__",
        "free rules store use_cases verification rewriting demo app cli",
        "*",
        "an edge: commands",
    ),
}

#: `rules` takes errors only, of what is free: settings and files are input too.
RULES_MAY_IMPORT = {"errors", "rules"}

#: Without clock, chance, files and wire, of the standard library.
PURE = {
    "__future__",
    "base64",
    "calendar",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "typing",
    "uuid",
}
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input"}

#: A little over what the house aims at (300 and 40): past it, split by idea.
MAX_FILE_LINES = 330
MAX_FUNCTION_LINES = 50

#: Rooms without an idea fill with everything.
ROOMS_WITHOUT_AN_IDEA = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


@dataclass(frozen=True)
class Module:
    """One file of the package: its dotted name below the package, and its tree."""

    name: str
    file: Path

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.file.read_text("utf-8"))

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


def _modules() -> dict[str, Module]:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = Module(name, file)
    return found


MODULES = _modules()
LAYER_OF = {module: name for name, layer in LAYERS.items() for module in layer.modules}


def _imports(module: Module) -> Iterator[str]:
    """Yield what a module imports, also inside functions: `flask.views`, `consent_server.texts`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name} imports relatively: write the whole name"
            source = node.module or ""
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if _inside(inner) in MODULES else source


def _inside(imported: str) -> str:
    """Return the name below the package, or "" for what is not ours."""
    if imported == "consent_server":
        return "__init__"
    ours, _, name = imported.partition("consent_server.")
    return name if not ours else ""


def _own_imports(module: Module) -> set[str]:
    return {name for imported in _imports(module) if (name := _inside(imported))}


def _libraries(module: Module) -> set[str]:
    tops = {imported.partition(".")[0] for imported in _imports(module)}
    return tops - sys.stdlib_module_names - {"consent_server"}


@pytest.fixture(params=list(MODULES.values()), ids=list(MODULES))
def module(request: pytest.FixtureRequest) -> Module:
    found: Module = request.param
    return found


def test_every_module_has_a_layer(module: Module) -> None:
    assert module.top in LAYER_OF, f"say in LAYERS where {module.top} belongs"


def test_every_name_in_the_table_is_a_module() -> None:
    assert set(LAYER_OF) == {module.top for module in MODULES.values()}


def test_a_module_imports_from_its_own_layer_and_below(module: Module) -> None:
    own = LAYER_OF[module.top]
    allowed = LAYERS[own].below | {own}
    for name in _own_imports(module):
        layer = LAYER_OF[name.partition(".")[0]]
        assert layer in allowed, f"{module.name} ({own}) imports {name} ({layer})"


def test_a_module_imports_only_the_libraries_of_its_layer(module: Module) -> None:
    layer = LAYERS[LAYER_OF[module.top]]
    if layer.libraries != ANY:
        assert _libraries(module) <= layer.libraries, layer.reason


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: _own_imports(module) - {"__init__"} for name, module in MODULES.items()}
    TopologicalSorter(graph).prepare()


def _rules() -> list[Module]:
    return [module for module in MODULES.values() if module.top == "rules"]


@pytest.mark.parametrize("module", _rules(), ids=lambda module: module.name)
def test_a_rule_has_no_clock_no_chance_no_file_and_no_wire(module: Module) -> None:
    for imported in _imports(module):
        name = _inside(imported)
        if name:
            assert name.partition(".")[0] in RULES_MAY_IMPORT, imported
        else:
            assert imported.partition(".")[0] in PURE, imported
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else ast.unparse(called)
            assert name not in IMPURE_CALLS, f"{module.name}:{node.lineno} calls {name}"


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES.values() if LAYER_OF.get(module.top) == "use_cases"],
    ids=lambda module: module.name,
)
def test_a_use_case_leaves_the_transaction_to_its_caller(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"commit", "rollback"}, f"{module.name}:{node.lineno}"


def test_a_use_case_takes_the_session_first() -> None:
    for module in MODULES.values():
        if LAYER_OF.get(module.top) != "use_cases":
            continue
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef):
                names = [argument.arg for argument in node.args.args]
                assert "session" not in names[1:], f"{module.name}.{node.name}"


def test_no_room_is_without_an_idea() -> None:
    parts = {part for name in MODULES for part in name.split(".")}
    assert not parts & ROOMS_WITHOUT_AN_IDEA


def test_a_file_is_one_room(module: Module) -> None:
    assert len(module.file.read_text("utf-8").splitlines()) <= MAX_FILE_LINES
    if "migrations" in module.name:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{module.name}.{node.name}"
