"""The list of pure modules is true and complete, and `make unit` runs the tests of all of them."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.no_io import WhatIsOpened
from tests.pure_modules import (
    TESTS,
    WITH_IO,
    impurities,
    named_test,
    pure_modules,
    should_be_listed,
    sources,
    unit_tests,
)


def test_no_pure_module_awaits_or_reads_a_clock_or_a_file() -> None:
    found = {one: impurities(sources()[one].read_text()) for one in pure_modules()}
    assert {one: why for one, why in found.items() if why} == {}


def test_every_module_that_is_pure_by_its_imports_is_listed() -> None:
    assert should_be_listed() == []


def test_unit_runs_the_test_of_every_pure_module() -> None:
    tests = {named_test(module) for module in pure_modules() if named_test(module).exists()}
    assert len(tests) > 150
    assert tests - set(unit_tests()) == {TESTS / place for place in WITH_IO} & tests


def test_exceptions_are_for_files_that_exist_and_in_their_order() -> None:
    assert [place for place in WITH_IO if not (TESTS / place).exists()] == []
    assert list(WITH_IO) == sorted(WITH_IO)


@pytest.mark.parametrize(
    "text",
    [
        "async def f(): pass",
        "async def f():\n    await g()",
        "now = datetime.now(UTC)",
        "text = open('a').read()",
    ],
)
def test_an_impurity_is_found(text: str) -> None:
    assert impurities(text) != []


def test_arithmetic_with_a_given_time_is_pure() -> None:
    assert impurities("def f(now: datetime) -> datetime:\n    return now + HOUR") == []


def open_a_socket(_: Path) -> None:
    socket.socket().close()


def run_a_program(_: Path) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def write_a_file(place: Path) -> None:
    (place / "file").write_text("text")


def read_a_file(_: Path) -> None:
    Path(os.devnull).read_bytes()


@pytest.mark.parametrize("act", [open_a_socket, run_a_program, write_a_file, read_a_file])
def test_what_a_test_opens_is_seen(act: "object", tmp_path: Path) -> None:
    seen = WhatIsOpened()
    with seen.watched():
        assert callable(act)
        act(tmp_path)
    assert seen.taken() != []
    assert seen.taken() == []


def test_reading_sources_is_allowed() -> None:
    seen = WhatIsOpened()
    with seen.watched():
        Path(__file__).read_text()
    assert seen.taken() == []


def test_code_without_a_file_is_no_file() -> None:
    seen = WhatIsOpened()
    with seen.watched(), pytest.raises(SyntaxError):
        ast.parse("lambda: (")  # Python looks for the line in a file named <unknown>
    assert seen.taken() == []
