"""The layers hold: who imports whom, who may commit, how long a module is. Read from the source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from statusapp.jobs.queues import TASKS_MODULE
from statusapp.jobs.schedule import TASK_NAMES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "statusapp"
SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERY_SOURCE = [
    path for folder in ("statusapp", "tests", "benchmarks", "migrations") for path in (ROOT / folder).rglob("*.py")
]

# What each layer may import of our own code. "jobs.queues" and "probes.guard" stand for that module alone.
ALLOWED = {
    "domain": {"domain"},
    "tracking": {"tracking"},
    "models": {"domain", "models", "extensions"},
    "queries": {"domain", "models", "queries", "extensions"},
    "probes": {"domain", "probes"},
    # Of the probes only the guard: what a message is sent to is judged like what is checked.
    "notifiers": {"domain", "notifiers", "probes.guard"},
    "services": {
        "domain",
        "models",
        "queries",
        "probes",
        "notifiers",
        "services",
        "clock",
        "database",
        "extensions",
        "config",
        "jobs.queues",
        "tracking",
    },
    "jobs.tasks": {"services", "jobs.context"},
    "web": {"domain", "models", "queries", "services", "web", "clock", "extensions", "config"},
    "cli": {"cli", "domain", "queries", "services", "clock", "extensions", "config"},
}
# Libraries and names of other layers' business.
FORBIDDEN = {
    "domain": {"flask", "sqlalchemy", "redis", "rq", "pycurl", "requests", "logging", "os", "socket", "random"},
    "tracking": {"sqlalchemy", "rq", "requests", "psutil"},
    "probes": {"flask", "sqlalchemy", "redis", "rq"},
    "notifiers": {"flask", "sqlalchemy", "redis", "rq"},
    "queries": {"requests", "pycurl"},
    "web": {"pycurl", "rq_scheduler"},
}
FORBIDDEN_CALLS = {
    "domain": {"now", "utcnow", "today", "time", "monotonic", "open"},
    "queries": {"add", "flush", "commit", "merge", "write_transaction", "write_connection"},
    "web": {"commit", "write_transaction", "write_connection"},
    "cli": {"commit", "write_transaction", "write_connection"},
}
# Bound by name and reason: what the table would forbid and why it is right all the same.
EXCEPTIONS = {
    ("services/installation.py", "create_app"): "it prepares an installation before any process has an application",
}
MOST_LINES = 400
MOST_FUNCTION_LINES = 60


def layer_of(path: Path) -> str | None:
    """The layer that a source file belongs to; None for those the table does not name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[:2] == ("jobs", "tasks"):
        return "jobs.tasks"
    return parts[0] if parts[0] in ALLOWED else None


@cache
def tree_of(path: Path) -> ast.Module:
    """A source file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[tuple[str, str]]:
    """Each module that a file imports and the name it takes from it, imports inside functions included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                yield node.module or "", alias.name


def own_target(module: str, name: str) -> str | None:
    """What of our own code an import is for, in the words of the table; None for libraries."""
    parts = module.split(".")
    if parts[0] == "config":
        return "config"
    if parts[0] != "statusapp" or name == "__version__":
        return None
    parts = parts[1:] or [name]
    return "jobs." + (parts[1] if len(parts) > 1 else name) if parts[0] == "jobs" else parts[0]


def of_layer(layer: str) -> list[Path]:
    """The source files of a layer."""
    found = [path for path in SOURCES if layer_of(path) == layer]
    assert found, f"there is no layer {layer}"
    return found


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_is_below_it(layer: str) -> None:
    for path, module, name in [(file, *found) for file in of_layer(layer) for found in imports_of(file)]:
        if (str(path.relative_to(PACKAGE)), name) in EXCEPTIONS:
            continue
        target = own_target(module, name)
        allowed = ALLOWED[layer]
        one_module = module.removeprefix("statusapp.") in allowed
        assert target is None or target in allowed or one_module, f"{path} imports {module}.{name}"
        assert module.split(".")[0] not in FORBIDDEN.get(layer, set()), f"{path} imports {module}"


@pytest.mark.parametrize("layer", FORBIDDEN_CALLS)
def test_a_layer_calls_nothing_that_is_not_its_business(layer: str) -> None:
    forbidden = FORBIDDEN_CALLS[layer]
    for path in of_layer(layer):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                on_session = ast.unparse(node.func).startswith(("db.", "session.")) or isinstance(node.func, ast.Name)
                if called == "add" and not on_session:
                    continue  # A set's.
                assert called not in forbidden, f"{ast.unparse(node.func)} in line {node.lineno} of {path}"


def test_every_exception_is_still_needed() -> None:
    for relative, name in EXCEPTIONS:
        assert name in {imported for _, imported in imports_of(PACKAGE / relative)}, f"{relative} imports no {name}"


def test_only_the_settings_read_the_environment() -> None:
    for path in SOURCES:
        assert "os.environ" not in path.read_text(encoding="utf-8"), path


def test_only_the_clock_reads_the_wall_clock_for_business() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert path.name == "clock.py" or "datetime.now(" not in text, path


def test_importing_the_package_imports_nothing_else() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    modules = {getattr(node, "module", None) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    assert modules <= {"__future__", "typing"}


def test_every_task_that_is_named_is_there() -> None:
    tasks = importlib.import_module(TASKS_MODULE.rstrip("."))
    assert TASK_NAMES
    for name in TASK_NAMES:
        task = getattr(tasks, name)
        assert task.__module__ == tasks.__name__
        assert task.__code__.co_argcount == 0
    assert {name for name in vars(tasks) if name.endswith("_task")} == TASK_NAMES


def test_no_module_and_no_function_is_too_long() -> None:
    for path in EVERY_SOURCE:
        assert path.read_text(encoding="utf-8").count("\n") <= MOST_LINES, path
        for node in ast.walk(tree_of(path)) if path.is_relative_to(PACKAGE) else ():
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < MOST_FUNCTION_LINES, f"{node.name} in {path}"


def test_everything_public_says_what_it_is() -> None:
    for path in (*SOURCES, ROOT / "config.py"):
        tree = tree_of(path)
        assert path.name == "__init__.py" or ast.get_docstring(tree), f"{path} has no docstring"
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        for node in [inner for holder in (tree, *classes) for inner in holder.body]:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{node.name} in {path} has no docstring"
