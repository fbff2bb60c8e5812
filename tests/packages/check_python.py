"""The wheel, its server and most tests on newer versions of Python, in clean trees of Debian.

Debian's newer releases have one each. PYTHONS names programs of this machine, such as
/opt/python3.12/bin/python3.12; each is shown in a tree of Debian 12.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.packages.checkout_copy import CHECKOUT, copy_checkout
from tests.packages.checkout_copy import PLACE as COPY
from tests.packages.clean_tree import DEBIAN, PLACE, CleanTree, bind, clean_tree
from tests.packages.installed_server import install_server, walk

RELEASES: Final = ("trixie", "forky")


# Their tests need programs that the tree has not, a database or much time, or are of our tools. The
# tests beside these directories are of documents and of the source.
LEFT_OUT: Final = frozenset(
    [
        "acceptance",
        "bench",
        "browser",
        "cluster",
        "contract",
        "contract_shared",
        "documents",
        "fuzz",
        "integration",
        "packages",
        "released",
        "simulation",
        "store",
        "tools",
    ]
)
STORES: Final = ("tests/store/memory", "tests/store/sqlite")
OPTIONS: Final = "--quiet -p no:cacheprovider --numprocesses auto --dist loadfile"


@dataclass(frozen=True, slots=True)
class NewerPython:
    """A Python, the tree in which it runs, and the libraries for it."""

    program: str
    base: Path
    wheels: Path

    def prepare(self, tree: CleanTree) -> None:
        """Show one of this machine in the tree, where it needs the same libraries as Debian's."""
        if self.program.startswith("/"):
            tree.do("apt-get -qq --no-install-recommends install python3-venv")
            prefix = Path(self.program).parents[1]
            bind(prefix, tree.path(str(prefix)))


def newer_pythons() -> Iterator[NewerPython]:
    for release in RELEASES:
        yield NewerPython("python3", PLACE / release, PLACE / release / "wheels")
    for path in map(Path, os.environ.get("PYTHONS", "").split()):
        yield NewerPython(str(path.resolve()), DEBIAN, PLACE / path.name)


def parts() -> list[str]:
    """Return the directories of the tests that are run: more are found by themselves."""
    found = [one.parent.name for one in (CHECKOUT / "tests").glob("*/__init__.py")]
    return [*(f"tests/{name}" for name in sorted(found) if name not in LEFT_OUT), *STORES]


@pytest.fixture(params=newer_pythons(), ids=lambda one: f"{one.base.name}-{one.program}")
def python(request: pytest.FixtureRequest) -> NewerPython:
    one: NewerPython = request.param
    return one


@pytest.fixture
def tree(python: NewerPython, tmp_path: Path) -> Iterator[CleanTree]:
    """A tree with the Python and the files of the repository."""
    with clean_tree(tmp_path, base=python.base, wheels=python.wheels) as tree:
        python.prepare(tree)
        copy_checkout(tree)
        yield tree


def test_the_wheel_and_its_lock_make_a_server_that_holds_and_hands_over(
    python: NewerPython, tree: CleanTree
) -> None:
    walk(install_server(tree, python.program))


def test_the_tests_of_units_and_of_parts_pass(python: NewerPython, tree: CleanTree) -> None:
    tree.do(
        f"{python.program} -m venv /opt/unit\n"
        "/opt/unit/bin/pip install --quiet --require-hashes -r requirements-dev.lock\n"
        "/opt/unit/bin/pip install --quiet --no-deps --no-build-isolation --editable .\n"
        "mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts\n"
        "/opt/unit/bin/python -m tests.unit_run\n"
        f"/opt/unit/bin/python -m pytest {OPTIONS} {' '.join(parts())}",
        cwd=COPY,
    )
