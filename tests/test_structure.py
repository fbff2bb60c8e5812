"""Rules of structure that a checker of types or style does not see."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import restante
from tests.source_tree import parse_source

TOP: Final = Path(restante.__file__).parent
MOST_PARAMETERS: Final = 8  # of a constructor
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


def test_a_constructor_has_few_parameters() -> None:
    many = [
        place
        for place, node in classes()
        for method in functions(node)
        if method.name == "__init__"
        and len(method.args.args) - 1 + len(method.args.kwonlyargs) > MOST_PARAMETERS
    ]
    assert many == []
