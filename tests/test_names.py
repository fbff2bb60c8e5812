"""One word, one meaning: a class and a module are defined once in the package."""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

import restante

TOP = Path(restante.__file__).parent
CLASS = re.compile(r"^ *class (\w+)[(\[:]", re.MULTILINE)  # as the formatter writes it


def classes() -> dict[str, set[str]]:
    """Return where each class is defined."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        for name in CLASS.findall(path.read_text()):
            found[name].add(path.relative_to(TOP).as_posix())
    return found


def modules() -> dict[str, set[str]]:
    """Return where each module is."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        if path.stem not in ("__init__", "__main__"):
            found[path.stem].add(path.relative_to(TOP).as_posix())
    return found


@pytest.mark.parametrize("find", [classes, modules])
def test_a_name_is_defined_once(find: Callable[[], dict[str, set[str]]]) -> None:
    assert {name: sorted(places) for name, places in find().items() if len(places) > 1} == {}


def test_a_module_is_not_named_like_a_package() -> None:
    packages = {path.parent.name for path in TOP.rglob("__init__.py")} - {TOP.name}
    assert sorted(packages & set(modules())) == []


def test_the_classes_of_the_package_are_found() -> None:
    found = classes()
    assert len(found) > 500
    assert {"Login", "HeldMessage", "DutyLost", "_Job"} <= set(found)
