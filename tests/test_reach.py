"""No part reaches through another, and none gets its needs after it was made.

A part is a class that acts. Values are no parts: named tuples, enumerations, settings, errors, and
dataclasses whose methods use no part. A dataclass that only groups parts is a value too, such as
the context of the drains. To read a part from it is to use what was given. It groups few parts, by
their use, so that a function takes the group that it needs.

A part that showed another one would invite a third to reach through it. So it shows none, in
attributes or by methods that return one it has, and has methods for the needs of others. The fields
of a dataclass that acts are public by their nature, so nobody else may read a part from them.

The types of expressions are inferred from annotations: of parameters, of fields, of the results of
functions and methods, and along chains of any length.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import restante
from tests.source_tree import parse_source

TOP: Final = Path(restante.__file__).parent
VALUES: Final = (
    *("Enum", "Flag", "NamedTuple", "TypedDict"),
    *("BaseModel", "Error", "Exception", "Settings"),
)  # as endings of the names of bases
# and of os, enum
OF_NAMED_TUPLES: Final = frozenset({"_make", "_replace", "_asdict", "_exit", "_value_"})
MOST_FIELDS: Final = 10  # of a value that groups parts
FEWEST_PARTS: Final = 3  # a value with fewer is a record that has them, not a group

SHOWN: Final = {
    "Store.*": "a store is the group of its ports",
    "MemoryStore.*": "the same; tests look into its state",
    "SqliteStore.*": "the same",
    "PostgresStore.*": "the same",
    "SealedStore.*": "a store in front of one",
    "StoreCore.*": "the group that the parts of one store share",
    "LatestFigures.*": "the same",
    "MemoryState.*": "the same, for the store in memory",
    "WriteTransaction.*": "the resources of one change, grouped for it",
    "Ledger.drains": "the ledger is made with the book of drains, and a change writes in both",
    "MemoryReception.numbers": "the port gives away the one source of message numbers",
    "SqliteReception.numbers": "the same",
    "PostgresReception.numbers": "the same",
    "PostgresCore.*": "the group that the parts of one store share",
    "FigureMirror.numbers": "the sequence that intake takes from, as of every store",
    "FigureMirror.content_numbers": "the same for large content",
    "SmtpConnection.wire": "the protocol of the transport, for the listener that makes both",
    "WebConnection.wire": "the same",
    "WebConnection.conn": "uvicorn's name for the parser",
    "Dialogue.turnaround": "the connection gives its wire to it",
    "ReleasedWire.open": "the connection takes the wire away",
    "_IncomingContent.spool": "given away with the message",
    "TransactionWindow.transactions": "the transactions: plain values, with slots for speed",
    "ClientSession.in_doubt": "the same",
    "SessionAudit.in_doubt": "the same",
    "Visit.query": "the values of a request",
}

# Groups inside groups, outside of the wiring in `server`.
NESTED: Final = (
    *("AdminContext.memory", "AdminContext.network", "AdminContext.parts"),
    *("AttemptContext.delivery", "DeliveryContext.memory", "DeliveryContext.store"),
    *("StoreParts.place", "StoreParts.writing"),  # of a store on SQLite
    *("PortalParts.context", "DialogueServices.admission", "DialogueServices.content"),
    *("SessionSettings.services", "SignInParts.context"),
)

ASSIGNED: Final = {
    "credential_lanes.py: self._strangers.limit": "a number",
    "destination_watch.py: watched.accounts": "a value",
    "transaction_dialogue.py: transaction.content": "a reply",
    "ledger.py: ledger.drains": "where the ledger is made",
    "memory_history.py: self._state.history": "the state of a store in memory is values",
    "memory_persons.py: self._state.history": "the same",
    "memory_records.py: self._state.directory": "the same",
}

LARGE: Final = {
    "MemoryState": "all tables of the store in memory",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Class:
    """A class of the package, as far as the rules look at it."""

    place: str
    node: ast.ClassDef
    is_value: bool = False
    members: dict[str, str] = field(default_factory=dict)  # attribute to its type, as text
    results: dict[str, str] = field(default_factory=dict)  # method to the type of its result


def bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0] for base in node.bases]


def methods(node: ast.ClassDef) -> Iterator[Function]:
    for each in node.body:
        if isinstance(each, Function):
            yield each


def decorators(node: ast.ClassDef | Function) -> set[str]:
    return {ast.unparse(one).partition("(")[0] for one in node.decorator_list}


def is_property(method: Function) -> bool:
    return bool(decorators(method) & {"property", "cached_property"})


def text_of(annotation: ast.expr | None) -> str:
    """Return an annotation as text, without the quotes of a forward reference."""
    return "" if annotation is None else ast.unparse(annotation).replace("'", "")


def annotations(node: ast.ClassDef) -> dict[str, str]:
    return {
        ast.unparse(one.target): text_of(one.annotation)
        for one in node.body
        if isinstance(one, ast.AnnAssign)
    }


def given_to(function: Function) -> dict[str, str]:
    """Return the types of the parameters of a function."""
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return {one.arg: text_of(one.annotation) for one in arguments if one.annotation}


@dataclass(frozen=True)
class Types:
    """All classes by name, and the results of functions by module and name."""

    classes: Mapping[str, Class]
    results: Mapping[str, str]

    def parts_in(self, kind: str) -> list[str]:
        """Return the parts that a type names."""
        named = re.findall(r"\w+", kind)
        return [name for name in named if (one := self.classes.get(name)) and not one.is_value]

    def main(self, kind: str) -> str:
        """Return the one class of a type such as `X | None`; "" if there is none."""
        found = [one for one in kind.split(" | ") if one != "None"]
        return found[0] if len(found) == 1 and found[0] in self.classes else ""

    def member(self, name: str, attribute: str) -> str:
        """Return the type of an attribute, also of a base; "" if unknown."""
        one = self.classes.get(name)
        if one is None:
            return ""
        if attribute in one.members:
            return one.members[attribute]
        return next(
            (kind for base in bases(one.node) if (kind := self.member(base, attribute))), ""
        )

    def result(self, name: str, method: str) -> str:
        """Return the type of the result of a method, also of a base; "" if unknown."""
        one = self.classes.get(name)
        if one is None:
            return ""
        if method in one.results:
            return one.results[method]
        return next((kind for base in bases(one.node) if (kind := self.result(base, method))), "")

    def of(  # noqa: PLR0911  one for each form of an expression
        self, value: ast.expr | None, names: Mapping[str, str]
    ) -> str:
        """Return the type of an expression, as text; "" if unknown."""
        match value:
            case ast.Name(name):
                return names.get(name, "")
            case ast.Attribute(inner, attribute):
                return self.member(self.main(self.of(inner, names)), attribute)
            case ast.Await(inner):
                return self.of(inner, names)
            case ast.BoolOp(values=[*_, last]):
                return self.of(last, names)
            case ast.IfExp(body=body, orelse=other):
                return self.of(body, names) or self.of(other, names)
            case ast.NamedExpr(value=inner):
                return self.of(inner, names)
            case ast.Call(ast.Name(name)):
                kind = names.get(name, "")
                if kind:
                    return result_of(kind)
                return name if name in self.classes else self.results.get(name, "")
            case ast.Call(ast.Attribute(inner, method)):
                owner = self.main(self.of(inner, names))
                return self.result(owner, method) or result_of(self.member(owner, method))
            case _:
                return ""


def result_of(kind: str) -> str:
    """Return the type that a call of a `Callable[…, X]` has."""
    found = re.fullmatch(r"Callable\[.*?\], (.*)\]", kind) or re.fullmatch(
        r"Callable\[\.\.\., (.*)\]", kind
    )
    inner = found[1] if found else ""
    awaited = re.fullmatch(r"(?:Awaitable|Coroutine)\[(?:.*, )?([^,]*)\]", inner)
    return awaited[1] if awaited else inner


def acts(node: ast.ClassDef, types: Types) -> bool:
    """Tell whether a dataclass uses a part that it has, or awaits."""
    fields = annotations(node)
    for method in methods(node):
        if isinstance(method, ast.AsyncFunctionDef):
            return True
        if is_property(method) or method.name.startswith("__"):
            continue
        for one in ast.walk(method):
            if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self":
                kind = fields.get(one.attr, "")
                if types.parts_in(kind) and "Callable" not in kind:
                    return True
    return False


def is_value(node: ast.ClassDef, types: Types) -> bool:
    if any(base.endswith(VALUES) for base in bases(node)):
        return True
    return "dataclass" in decorators(node) and not acts(node, types)


def learn_members(one: Class, types: Types) -> None:
    """Find the types of the attributes of a class, and of the results of its methods."""
    one.members |= annotations(one.node)
    for method in methods(one.node):
        if is_property(method):
            one.members[method.name] = text_of(method.returns)
        else:
            one.results[method.name] = text_of(method.returns)
        if method.name == "__init__":
            names = {**given_to(method), "self": one.node.name}
            for each in ast.walk(method):
                match each:
                    case ast.AnnAssign(ast.Attribute(ast.Name("self"), name)):
                        one.members[name] = text_of(each.annotation)
                    case ast.Assign(targets=targets):
                        for target, value in pairs(targets, each.value):
                            if (
                                isinstance(target, ast.Attribute)
                                and ast.unparse(target.value) == "self"
                            ):
                                one.members.setdefault(target.attr, types.of(value, names))


def pairs(targets: list[ast.expr], value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Return each target of an assignment with its value."""
    for target in targets:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value


def types_of(sources: Mapping[str, str]) -> Types:
    """Return each class by its name, as none is defined twice, and the results of functions.

    `sources` has the text of each module by its place.
    """
    classes: dict[str, Class] = {}
    results: dict[str, str] = {}
    types = Types(classes, results)
    for place, text in sources.items():
        tree = parse_source(text)
        for node in tree.body:
            if isinstance(node, Function):
                kind = text_of(node.returns)
                results[node.name] = kind if results.get(node.name, kind) == kind else ""
        for each in ast.walk(tree):
            if isinstance(each, ast.ClassDef):
                classes[each.name] = Class(place, each)
    for _ in range(3):  # until nothing changes: values of values, bases of bases, fields of others
        for one in classes.values():
            one.is_value = is_value(one.node, types) or any(
                base in classes and classes[base].is_value for base in bases(one.node)
            )
            one.members = {name: kind for name, kind in one.members.items() if kind}
            learn_members(one, types)
    return types


@cache
def sources() -> dict[str, str]:
    """Return the text of each module of the package by its place."""
    return {str(path.relative_to(TOP)): path.read_text() for path in sorted(TOP.rglob("*.py"))}


@cache
def the_types() -> Types:
    return types_of(sources())


def is_allowed(name: str, attribute: str) -> bool:
    return f"{name}.{attribute}" in SHOWN or f"{name}.*" in SHOWN


def shown_by(name: str, types: Types) -> Iterator[tuple[str, str]]:
    """Return what a part shows of other parts: attributes, and methods that return one it has."""
    one = types.classes[name]
    for attribute, kind in one.members.items():
        if not attribute.startswith("_"):
            for part in types.parts_in(kind):
                if part != name and "Callable" not in kind:
                    yield attribute, part
    for method in methods(one.node):
        if method.name.startswith("_"):
            continue
        for each in ast.walk(method):
            if isinstance(each, ast.Return) and isinstance(each.value, ast.Attribute):
                kind = types.of(each.value, {"self": name})
                for part in types.parts_in(kind):
                    if part != name and "Callable" not in kind:
                        yield method.name, part


def test_a_part_shows_no_other_part() -> None:
    types = the_types()
    shown = [
        f"{one.place}: {name}.{attribute} is a {part}"
        for name, one in types.classes.items()
        if not (one.is_value or "dataclass" in decorators(one.node))
        and "Protocol" not in bases(one.node)
        for attribute, part in shown_by(name, types)
        if not is_allowed(name, attribute)
    ]
    assert shown == []


def test_every_part_that_may_be_shown_is() -> None:
    types = the_types()
    shown = {
        one
        for name in types.classes
        for attribute, _ in shown_by(name, types)
        for one in (f"{name}.{attribute}", f"{name}.*")
    }
    assert sorted(set(SHOWN) - shown) == []


def functions(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[Function, str]]:
    """Return each function with the class that it is in, "" outside; not those inside others."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node)
        elif isinstance(node, Function):
            yield node, tree.name if isinstance(tree, ast.ClassDef) else ""


def names_in(function: Function, owner: str, types: Types) -> dict[str, str]:
    """Return the types of the names of a function, as far as they can be told."""
    names = given_to(function)
    if owner and not decorators(function) & {"staticmethod", "classmethod"}:
        names["self"] = owner
    for _ in range(2):
        for each in ast.walk(function):
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                names[each.target.id] = text_of(each.annotation)
            elif isinstance(each, ast.Assign):
                for target, value in pairs(each.targets, each.value):
                    if isinstance(target, ast.Name):
                        names.setdefault(target.id, types.of(value, names))
            elif isinstance(each, ast.NamedExpr):
                names.setdefault(each.target.id, types.of(each.value, names))
    return names


def readings(tree: ast.Module, module: str, types: Types) -> Iterator[str]:
    """Return each place that reads a part of another part."""
    for function, owner in functions(tree):
        names = names_in(function, owner, types)
        for node in ast.walk(function):
            if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
                continue
            name = types.main(types.of(node.value, names))
            one = types.classes.get(name)
            if one is None or one.is_value or name == owner or one.place == module:
                continue
            kind = types.member(name, node.attr)
            if types.parts_in(kind) and "Callable" not in kind and not is_allowed(name, node.attr):
                yield f"{module}: {function.name}: {ast.unparse(node)} is {kind} of {name}"


def test_nobody_reads_a_part_of_another_part() -> None:
    types = the_types()
    found = {
        reading
        for place, text in sources().items()
        for reading in readings(parse_source(text), place, types)
    }
    assert sorted(found) == []


def is_group(name: str, types: Types) -> bool:
    """Tell whether a class is a value that has parts, or has a value that has."""
    one = types.classes.get(name)
    if one is None or not one.is_value:
        return False
    kinds = list(one.members.values())
    inner = [types.classes.get(types.main(kind)) for kind in kinds]
    kinds += [
        kind for value in inner if value and value.is_value for kind in value.members.values()
    ]
    return any(map(types.parts_in, kinds))


def reaches_through(tree: ast.Module, types: Types) -> Iterator[str]:
    """Return each private function that is given a group, and uses only one group or part in it."""
    for function, _ in functions(tree):
        if not function.name.startswith("_") or function.name.startswith("__"):
            continue
        for name, kind in given_to(function).items():
            if name == "self" or not is_group(group := types.main(kind), types):
                continue
            uses = [one for one in ast.walk(function) if is_name(one, name)]
            reads = [
                one.attr
                for one in ast.walk(function)
                if isinstance(one, ast.Attribute) and is_name(one.value, name)
            ]
            if len(uses) == len(reads) and len(set(reads)) == 1:
                attribute = reads[0]
                if is_group(types.main(types.member(group, attribute)), types):
                    yield f"{function.name} uses only {name}.{attribute} of {group}"


def is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def test_a_function_is_given_the_group_that_it_uses() -> None:
    """Not a larger one that has it. The builders of the server take the larger ones apart."""
    types = the_types()
    found = {
        f"{place}: {one}"
        for place, text in sources().items()
        if not place.startswith("server/build_")
        for one in reaches_through(parse_source(text), types)
    }
    assert sorted(found) == []


def test_no_other_group_is_inside_a_group() -> None:
    """A path such as `context.memory.backoff` is longer by each group in a group."""
    types = the_types()
    found = {
        f"{name}.{attribute}"
        for name, one in types.classes.items()
        if is_group(name, types) and not one.place.startswith(("server/", "cli/"))
        for attribute, kind in one.members.items()
        if is_group(types.main(kind), types)
    }
    assert sorted(found) == sorted(NESTED)


PARTS: Final = """
class Engine:
    def run(self) -> None: ...

class Car:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

@dataclass
class Cart:
    engine: Engine
    def go(self) -> None:
        self.engine.run()

@dataclass
class Group:
    car: Car
    cart: Cart
    engine: Engine

def make_car() -> Car: ...

class Garage:
    def __init__(self) -> None:
        self._car = make_car()
    async def new_car(self) -> Car | None: ...
    def own_car(self) -> Car:
        return self._car
"""


@pytest.mark.parametrize(
    "reading",
    [
        "def f(car: Car): car.engine",
        "def f(group: Group): group.car.engine",
        "def f(group: Group): group.cart.engine",
        "def f(): make_car().engine",
        "def f(): (car := make_car()).engine",
        "def f():\n    car = make_car()\n    g(car.engine)",
        "async def f(garage: Garage): (await garage.new_car()).engine",
        "class A:\n    def f(self, group: Group):\n        x, y = group.car, 1\n        x.engine",
        "def f(make: Callable[[], Car]): make().engine",
    ],
)
def test_a_part_that_is_read_through_another_is_found(reading: str) -> None:
    types = types_of({"parts.py": PARTS, "reader.py": reading})
    [found] = readings(parse_source(reading), "reader.py", types)
    assert found.endswith(("is Engine of Car", "is Engine of Cart"))


def test_what_was_given_in_a_group_may_be_read() -> None:
    reading = "def f(group: Group):\n    group.engine.run()\n    group.cart.go()"
    types = types_of({"parts.py": PARTS, "reader.py": reading})
    assert list(readings(parse_source(reading), "reader.py", types)) == []


def test_a_function_that_uses_one_group_of_a_group_is_found() -> None:
    reading = "def _f(fleet: Fleet):\n    fleet.group.engine.run()\n    fleet.group.cart.go()"
    fleet = "@dataclass\nclass Fleet:\n    group: Group\n    other: Group\n"
    types = types_of({"parts.py": PARTS + fleet, "reader.py": reading})
    [found] = reaches_through(parse_source(reading), types)
    assert found == "_f uses only fleet.group of Fleet"


def test_a_method_that_returns_a_part_shows_it() -> None:
    types = types_of({"parts.py": PARTS})
    assert list(shown_by("Garage", types)) == [("own_car", "Car")]
    assert list(shown_by("Car", types)) == [("engine", "Engine")]


def test_a_group_of_parts_is_small() -> None:
    types = the_types()
    large = {
        f"{one.place}: {name} has {len(fields)}"
        for name, one in types.classes.items()
        if len(fields := annotations(one.node)) > MOST_FIELDS
        and sum(bool(types.parts_in(kind)) for kind in fields.values()) >= FEWEST_PARTS
        and name not in LARGE
    }
    assert sorted(large) == []
    assert [
        name for name in LARGE if len(annotations(types.classes[name].node)) <= MOST_FIELDS
    ] == []


def test_nobody_uses_what_is_private_to_another_module() -> None:
    """`self` and `cls` are one's own; a module may do as it likes with its own classes."""
    found = []
    for place, text in sources().items():
        tree = parse_source(text)
        read = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        own = {node.attr for node in read if ast.unparse(node.value) == "self"}
        own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        found += [
            f"{Path(place).name}: {ast.unparse(node)}"
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
    types = the_types()
    needs = {
        attribute
        for one in types.classes.values()
        if "frozen=True" not in "".join(map(ast.unparse, one.node.decorator_list))
        for attribute, kind in one.members.items()
        if not attribute.startswith("_") and (types.parts_in(kind) or "Callable" in kind)
    }
    found = {
        f"{Path(place).name}: {ast.unparse(target)}"
        for place, text in sources().items()
        for node in ast.walk(parse_source(text))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute)
        and target.attr in needs
        and not ast.unparse(target.value).endswith((".state", "self"))
    }
    assert sorted(found) == sorted(ASSIGNED)
