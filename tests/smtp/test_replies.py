"""Each reply that is written down is one that can be sent."""

import ast
from pathlib import Path
from typing import Final

import restante
from restante.smtp import replies
from restante.smtp.replies import Reply
from tests.source_tree import parse_source

_SOURCE: Final = Path(restante.__file__).parent
_NAMES: Final = {name for name, value in vars(replies).items() if isinstance(value, Reply)}


def _used(path: Path) -> set[str]:
    tree = parse_source(path.read_text())
    nodes = list(ast.walk(tree))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


def test_no_reply_is_only_documented() -> None:
    files = [path for path in _SOURCE.rglob("*.py") if path != Path(str(replies.__file__))]
    used = set().union(*(_used(path) for path in files if b"replies" in path.read_bytes()))
    assert _NAMES
    assert _NAMES - used == set()
