"""Rules of structure that a checker of types or style does not see."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import restante
from tests.source_tree import parse_source

TOP: Final = Path(restante.__file__).parent
MOST_PARAMETERS: Final = 8  # of a constructor
MOST_COLUMNS: Final = 100
OTHER_LOOPS: Final = {
    "admin/domain_drill.py: _await_end": "until the message of one drill has left",
    "admin/event_feed.py: follow": "until one client leaves",
    "background/rounds.py: run_rounds": "the loop of all others",
    "delivery/drain_attempt.py: _look_for_silence": "as long as one attempt lasts",
    "delivery/drain_attempt.py: _look_at_clients": "as long as one attempt lasts",
    "delivery/settlement.py: _settle_gathered": "the tries of one batch",
    "notices/notice_sender.py: _settle": "the tries of one result",
    "reception/session_traces.py: follow": "as long as one trace lasts",
    "telemetry/loop_lag.py: run": "measures how late a timer is, and does no work",
}
MADE_BY: Final = ("__init__", "__post_init__")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    """Return each class with its place."""
    for path in sorted(TOP.rglob("*.py")):
        for node in ast.walk(parse_source(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield f"{path.relative_to(TOP)}: {node.name}", node


def functions(of: ast.ClassDef) -> list[Function]:
    """Return the methods of a class."""
    return [node for node in of.body if isinstance(node, Function)]


def attributes(assigned_in: ast.AST) -> set[str]:
    """Return the attributes of `self` that code assigns or declares."""
    return {
        node.attr
        for node in ast.walk(assigned_in)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def declared(of: ast.ClassDef) -> set[str]:
    """Return the attributes that a class declares: in its body, or where it is made."""
    found = {method.name for method in functions(of)}  # a property that can be set
    for node in of.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for method in functions(of):
        if method.name in MADE_BY:
            found |= attributes(method)
    return found


def test_every_attribute_is_declared_where_the_object_is_made() -> None:
    missing = [
        f"{place}.{name}"
        for place, node in classes()
        for name in sorted(attributes(node) - declared(node))
    ]
    assert missing == []


def test_no_line_is_longer_than_100_columns() -> None:
    """The linter spares lines with a remark for it."""
    long = [
        f"{path.relative_to(TOP)}:{number}"
        for path in sorted(TOP.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > MOST_COLUMNS
    ]
    assert long == []


def test_a_constructor_has_few_parameters() -> None:
    many = [
        place
        for place, node in classes()
        for method in functions(node)
        if method.name == "__init__"
        and len(method.args.args) - 1 + len(method.args.kwonlyargs) > MOST_PARAMETERS
    ]
    assert many == []


def test_every_periodic_loop_is_one_of_rounds() -> None:
    """A failure or a defect ends only its round there, is logged once, and is tried again."""
    found = {
        f"{path.relative_to(TOP)}: {function.name}"
        for path in sorted(TOP.rglob("*.py"))
        for function in ast.walk(parse_source(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef)
        for loop in ast.walk(function)
        if isinstance(loop, ast.While) and any(map(waits_for_time, ast.walk(loop)))
    }
    assert sorted(found) == sorted(OTHER_LOOPS)


def waits_for_time(node: ast.AST) -> bool:
    """Tell whether this awaits that some seconds pass; `sleep(0)` only lets others run."""
    if not (isinstance(node, ast.Await) and isinstance(node.value, ast.Call)):
        return False
    name = ast.unparse(node.value.func).rpartition(".")[2]
    is_known = name.lstrip("_") in ("sleep", "pause", "wait_at_most") or name == "_wait"
    return is_known and ast.unparse(node.value) != "asyncio.sleep(0)"


def test_every_module_that_says_it_is_pure_is_held_to_it() -> None:
    """By the contract of the import linter. Modules of `telemetry` cannot be: it forbids them."""
    settings = tomllib.loads((TOP.parents[1] / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    [held] = [one["source_modules"] for one in contracts if one["name"].startswith("Pure packages")]
    saying = [
        ".".join(("restante", *path.relative_to(TOP).with_suffix("").parts))
        for path in sorted(TOP.rglob("*.py"))
        if re.search(r"\bPure\b", ast.get_docstring(parse_source(path.read_text())) or "")
    ]
    free = [one for one in saying if not f"{one}.".startswith(tuple(f"{each}." for each in held))]
    assert [one for one in free if not one.startswith("restante.telemetry.")] == []
    assert len(saying) > 50


_READS_TEXT: Final = {
    *("split", "rsplit", "splitlines", "partition", "rpartition", "find", "index", "count"),
    *("startswith", "endswith", "removeprefix", "removesuffix"),
}


def parsed_fields(tree: ast.AST) -> set[str]:
    """Return the fields of events whose text code takes apart."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name("event"), attr=field), attr=method
            ) if method in _READS_TEXT:
                found.add(field)
            case ast.Subscript(value=ast.Attribute(value=ast.Name("event"), attr=field)):
                found.add(field)
            case ast.Compare(
                ops=[_],
                left=ast.Constant(),
                comparators=[ast.Attribute(value=ast.Name("event"), attr=field)],
            ):
                found.add(field)
    return found


@pytest.mark.parametrize(
    "code", ["event.a.split(',')", "event.a[:3]", "event.a.startswith('25')", "'25' in event.a"]
)
def test_a_field_whose_text_is_taken_apart_is_found(code: str) -> None:
    assert parsed_fields(ast.parse(code)) == {"a"}


def test_no_subscriber_takes_the_text_of_an_event_apart() -> None:
    """A fact that a subscriber needs is a field of its own."""
    found = {
        f"{path.relative_to(TOP)}: {field}"
        for path in sorted(TOP.rglob("*.py"))
        for field in parsed_fields(parse_source(path.read_text()))
    }
    assert found == set()
