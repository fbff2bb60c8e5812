"""No part reaches through another, and none gets its needs after it was made.

A part is a class that acts. Records are no parts: dataclasses without a coroutine, named tuples,
enumerations, settings and errors. A record can group parts, such as the context of the drains: to
read one from it is to use what was given. The fields of a dataclass are what it was given, too. A
part that showed another one would invite a third to reach through it. So it shows none, and has
methods for the needs of others.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import restante
from tests.source_tree import parse_source

TOP: Final = Path(restante.__file__).parent
RECORDS: Final = (
    *("Enum", "Flag", "NamedTuple", "TypedDict"),
    *("BaseModel", "Error", "Exception", "Settings"),
)  # as endings of the names of bases
OF_NAMED_TUPLES: Final = frozenset({"_replace", "_asdict", "_exit"})  # and of os

SHOWN: Final = {
    "MemoryStore.*": "a store is the group of its ports; tests look into its state",
    "SqliteStore.*": "the same",
    "StoreCore.*": "the group that the parts of one store share",
    "Connection.wire": "the protocol of the transport, for the listener that makes both",
    "WebConnection.wire": "the same",
    "WebConnection.conn": "uvicorn's name for the parser",
    "Dialogue.turnaround": "the connection gives its wire to it",
    "_IncomingContent.spool": "given away with the message",
    "Ahead.transactions": "the state of transactions: plain values, with slots for speed",
    "ClientSession.in_doubt": "the same",
}


ASSIGNED: Final = {
    "credential_lanes.py: self._strangers.limit": "a number",
    "watcher.py: watched.accounts": "a value",
    "client_session.py: transaction.content": "a reply",
    "ledger.py: ledger.drains": "where the ledger is made",
    "memory_history.py: self._state.history": "the state of a store in memory is values",
    "memory_persons.py: self._state.recipients": "the same",
    "memory_persons.py: self._state.history": "the same",
    "memory_records.py: self._state.directory": "the same",
}


@dataclass
class Class:
    """A class of the package, as far as the rules look at it."""

    place: str
    node: ast.ClassDef
    is_record: bool
    shown: dict[str, str] = field(default_factory=dict)  # public attribute to its type, as text


def bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0] for base in node.bases]


def methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each


def is_dataclass(node: ast.ClassDef) -> bool:
    return any(ast.unparse(one).startswith("dataclass") for one in node.decorator_list)


def is_record(node: ast.ClassDef) -> bool:
    """Tell whether a class is a value, or a group of parts without an act of its own."""
    if any(base.endswith(RECORDS) for base in bases(node)):
        return True
    return is_dataclass(node) and not any(
        isinstance(one, ast.AsyncFunctionDef) for one in methods(node)
    )


def annotations(node: ast.ClassDef) -> dict[str, str]:
    return {
        ast.unparse(one.target): ast.unparse(one.annotation)
        for one in node.body
        if isinstance(one, ast.AnnAssign)
    }


def type_of(
    value: ast.expr | None, given: dict[str, str], fields: dict[str, dict[str, str]]
) -> str:
    """Return the type of a value that an attribute gets, as text; "" if unknown."""
    match value:
        case ast.Name(name):
            return given.get(name, "")
        case ast.Call(func):
            return ast.unparse(func)
        case ast.BoolOp(values=[*_, last]):
            return type_of(last, given, fields)
        case ast.Attribute(ast.Name(name), attribute):
            return fields.get(given.get(name, ""), {}).get(attribute, "")
        case _:
            return ""


def shown_by(node: ast.ClassDef, fields: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the types of public attributes and properties."""
    found = annotations(node)
    for method in methods(node):
        decorators = {ast.unparse(one) for one in method.decorator_list}
        if decorators & {"property", "cached_property"} and method.returns is not None:
            found[method.name] = ast.unparse(method.returns)
        if method.name != "__init__":
            continue
        arguments = (*method.args.args, *method.args.kwonlyargs)
        given = {one.arg: ast.unparse(one.annotation) for one in arguments if one.annotation}
        for one in ast.walk(method):
            if isinstance(one, ast.AnnAssign):
                found[ast.unparse(one.target)] = ast.unparse(one.annotation)
            elif isinstance(one, ast.Assign):
                for target in one.targets:
                    found.setdefault(ast.unparse(target), type_of(one.value, given, fields))
    names = {name.removeprefix("self."): kind for name, kind in found.items()}
    return {name: kind for name, kind in names.items() if name.isidentifier() and name[0] != "_"}


@cache
def classes() -> dict[str, Class]:
    """Return each class by its name: none is defined twice."""
    found: dict[str, Class] = {}
    for path in sorted(TOP.rglob("*.py")):
        for node in ast.walk(parse_source(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name] = Class(str(path.relative_to(TOP)), node, is_record(node))
    for one in found.values():
        one.is_record = is_record(one.node) or any(
            base in found and found[base].is_record for base in bases(one.node)
        )
    fields = {name: annotations(one.node) for name, one in found.items()}
    for one in found.values():
        one.shown = shown_by(one.node, fields)
    return found


def parts_in(kind: str) -> list[str]:
    """Return the parts that a type names."""
    named = re.findall(r"\w+", kind)
    return [name for name in named if (one := classes().get(name)) and not one.is_record]


def test_a_part_shows_no_other_part() -> None:
    shown = {
        f"{name}.{attribute}": f"{one.place}: {name}.{attribute} is a {part}"
        for name, one in classes().items()
        if not (one.is_record or is_dataclass(one.node) or "Protocol" in bases(one.node))
        for attribute, kind in one.shown.items()
        for part in parts_in(kind)
        if name != part
    }
    allowed = {key for key in shown if key in SHOWN or f"{key.partition('.')[0]}.*" in SHOWN}
    assert [text for key, text in shown.items() if key not in allowed] == []
    used = {key if key in SHOWN else f"{key.partition('.')[0]}.*" for key in allowed}
    assert sorted(set(SHOWN) - used) == []


def test_nobody_uses_what_is_private_to_another_module() -> None:
    """`self` and `cls` are one's own; a module may do as it likes with its own classes."""
    found = []
    for path in sorted(TOP.rglob("*.py")):
        tree = parse_source(path.read_text())
        read = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        own = {node.attr for node in read if ast.unparse(node.value) == "self"}
        own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        found += [
            f"{path.name}: {ast.unparse(node)}"
            for node in read
            if node.attr.startswith("_")
            and not node.attr.startswith("__")
            and node.attr not in own | OF_NAMED_TUPLES
            and ast.unparse(node.value) != "super()"
        ]
    assert found == ["load.py: config._source"]  # set once, by the one maker of a Config


def test_no_part_is_given_to_another_after_that_was_made() -> None:
    """An assignment such as `content.reservation = …`: its owner has a method for it, or an event.

    Attributes of the frameworks' own `state` are no parts of ours.
    """
    needs = {
        attribute
        for one in classes().values()
        if "frozen=True" not in "".join(map(ast.unparse, one.node.decorator_list))
        for attribute, kind in one.shown.items()
        if parts_in(kind) or "Callable" in kind
    }
    found = {
        f"{path.name}: {ast.unparse(target)}"
        for path in sorted(TOP.rglob("*.py"))
        for node in ast.walk(parse_source(path.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
        and target.attr in needs
        and not ast.unparse(target.value).endswith((".state", "self"))
    }
    assert sorted(found) == sorted(ASSIGNED)
