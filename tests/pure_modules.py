"""The modules that are pure, and the tests that need no socket, file, process or event loop.

pyproject.toml lists the pure modules, for the import linter. `make unit` runs their tests.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import restante
from tests.source_tree import parse_source
from tests.test_mirror import needs_a_test

TOP: Final = Path(restante.__file__).parent
TESTS: Final = Path(__file__).parent

# Tests of pure modules that need more, with the reason. `make test` runs them.
WITH_IO: Final[dict[str, str]] = {
    "admin/test_permissions.py": "calls every function of administration",
    "admin/test_request_bounds.py": "sends requests to the API",
    "checks/test_suspicion.py": "runs a session of a login, whose password is hashed in a thread",
    "config/test_reload_rules.py": "reads configuration files",
    "config/test_self_signed.py": "writes certificates, and makes connections with them",
    "delivery/test_destination_rates.py": "runs whole drains",
    "delivery/test_recipient_learning.py": "runs whole drains",
    "reception/test_memory_budget.py": "runs sessions side by side",
    "reception/test_scram_check.py": "runs whole sessions, with passwords hashed in a thread",
    "release/test_atrn.py": "runs whole sessions, likewise",
    "release/test_etrn.py": "runs whole sessions",
    "store/postgres/test_path_pattern.py": "asks a database",
    "telemetry/test_line_limit.py": "runs the task that writes the log",
    "test_phrases.py": "reads every module three times",
    "web/api/test_remedy_words.py": "sends requests to the API",
}

CLOCKS: Final = ("datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now")
ALSO_FORBIDDEN: Final = ("fastapi", "httpx", "jinja2", "rich", "typer")  # with parts that are pure
STATEMENTS: Final = re.compile(r"_(queries|statements)$")  # a database tests them


@cache
def contract() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the packages and modules that must be pure, and the modules forbidden to them."""
    settings = tomllib.loads((TOP.parents[1] / "pyproject.toml").read_text())
    [found] = [
        one
        for one in settings["tool"]["importlinter"]["contracts"]
        if one["name"].startswith("Pure packages")
    ]
    return tuple(found["source_modules"]), tuple(found["forbidden_modules"])


@cache
def sources() -> dict[str, Path]:
    """Return the file of each module by its name."""
    found = {}
    for path in sorted(TOP.rglob("*.py")):
        parts = path.relative_to(TOP.parent).with_suffix("").parts
        found[".".join(parts[:-1] if path.name == "__init__.py" else parts)] = path
    return found


def is_listed(module: str) -> bool:
    """Tell whether the linter holds a module to be pure."""
    return f"{module}.".startswith(tuple(f"{one}." for one in contract()[0]))


def pure_modules() -> Iterator[str]:
    """Yield each listed module, and those of `telemetry` that say so; the linter forbids it."""
    for module, path in sources().items():
        if is_listed(module) or (
            module.startswith("restante.telemetry.")
            and re.search(r"\bPure\b", ast.get_docstring(parse_source(path.read_text())) or "")
        ):
            yield module


def named_test(module: str) -> Path:
    """Return the place of the test that has a module's name."""
    path = TESTS / sources()[module].relative_to(TOP)
    return path.with_name(f"test_{path.name}")


def unit_tests() -> list[Path]:
    """Return the files of `make unit`: the tests of pure modules, and all of pure packages."""
    found = {path for module in pure_modules() if (path := named_test(module)).exists()}
    for module in contract()[0]:
        if sources()[module].name == "__init__.py":
            found |= set((TESTS / sources()[module].relative_to(TOP).parent).glob("test_*.py"))
    return sorted(path for path in found if str(path.relative_to(TESTS)) not in WITH_IO)


def impurities(text: str) -> list[str]:
    """Return the awaiting and the reading of clocks and files in a module with this text."""
    found = []
    for node in ast.walk(parse_source(text)):
        if isinstance(node, (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)):
            found.append(f"line {node.lineno} awaits")
        elif isinstance(node, ast.Call) and (
            (name := ast.unparse(node.func)) in CLOCKS or name in ("open", "input", "print")
        ):
            found.append(f"line {node.lineno} calls {name}")
    return found


def imports(text: str) -> set[str]:
    """Return the modules that a module with this text imports; of this package by full name."""
    found = set()
    for node in ast.walk(parse_source(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in sources() else node.module for one in full}
    return found


def pure_by_their_imports() -> set[str]:
    """Return the modules that neither do nor import anything impure, through any of their own."""
    texts = {module: path.read_text() for module, path in sources().items()}
    needed = {module: imports(text) for module, text in texts.items()}
    forbidden = tuple(f"{one}." for one in (*contract()[1], *ALSO_FORBIDDEN))
    pure = {
        module
        for module, text in texts.items()
        if not impurities(text)
        and not any(f"{one}.".startswith(forbidden) for one in needed[module])
    }
    while impure := {module for module in pure if needed[module] & texts.keys() - pure}:
        pure -= impure
    return pure


def should_be_listed() -> list[str]:
    """Return the modules that decide something, are pure by their imports, and are not listed."""
    return [
        module
        for module in sorted(pure_by_their_imports())
        if not is_listed(module)
        and not module.startswith("restante.telemetry.")  # the linter forbids it to pure modules
        and not STATEMENTS.search(module)
        and sources()[module].name != "__init__.py"
        and needs_a_test(sources()[module].relative_to(TOP).as_posix())
    ]
