"""The wheel and its server on ARM64, in a clean tree of Debian whose programs run under QEMU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.peers.programs import missing
from tests.packages.checkout_copy import copy_checkout
from tests.packages.clean_tree import PLACE, WHEELS, CleanTree, bind, clean_tree
from tests.packages.installed_server import install_server, walk

EMULATED: Final = (sys.executable, "-m", "tests.packages.emulated")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[CleanTree]:
    """A tree with the files of the repository. /primary has the library of the walks' primary."""
    with clean_tree(tmp_path, base=PLACE / "arm64", wheels=PLACE / "elsewhere") as native:
        copy_checkout(native)
        bind(WHEELS, native.path("/primary"))
        tree = replace(native, way_in=[*EMULATED, *native.way_in])
        if tree.run("true").returncode:
            missing("this kernel runs no programs of ARM64: tests/packages/emulated.py says why")
        yield tree


def test_the_wheel_and_its_lock_make_a_server_that_holds_and_hands_over(tree: CleanTree) -> None:
    assert tree.do("uname -m") == "aarch64\n"
    walk(install_server(tree, options="--find-links /primary"))
