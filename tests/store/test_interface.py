"""The parts of a store are named in one way: the attribute gives the names of the others."""

from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from restante.store.interface import Store

PARTS = [name for name, part in vars(Store).items() if isinstance(part, property)]
SHARED = {"duties", "failures", "nodes"}  # stores of one process share one implementation of each
CONTRACT = Path(__file__).parents[1] / "contract"


def singular(name: str) -> str:
    """Return the name of one of the things that a part has."""
    if name.endswith("ies"):
        return name.removesuffix("ies") + "y"
    return name.removesuffix("s")


def port_of(name: str) -> type:
    """Return the protocol of a part."""
    getter = vars(Store)[name].fget
    found: type = get_type_hints(getter)["return"]
    return found


def test_the_parts_of_a_store_are_found() -> None:
    assert len(PARTS) > 20
    assert {"reception", "releases", "duties"} <= set(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_a_port_is_named_for_its_part(name: str) -> None:
    port, one = port_of(name), singular(name)
    assert port.__name__ == f"{one.capitalize()}Store"
    assert port.__module__ == f"restante.store.{one}_store"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("name", [name for name in PARTS if name not in SHARED])
def test_an_implementation_is_named_for_its_part(name: str, kind: str) -> None:
    module = import_module(f"restante.store.{kind}.{kind}_{name}")
    assert isinstance(getattr(module, f"{kind.capitalize()}{name.capitalize()}"), type)


@pytest.mark.parametrize("name", PARTS)
def test_the_contract_of_each_part_is_tested_by_its_name(name: str) -> None:
    assert (CONTRACT / f"test_{name}.py").exists()
