"""A command does not make a store where there was none."""

from pathlib import Path

import pytest

from restante.cli.failures import Exit, Failure
from restante.cli.store_place import check_store_is_there


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"/new: .*; mount its disk, or put it back;") as raised:
        check_store_is_there(f"sqlite://{tmp_path / 'new'}")
    assert raised.value.code == Exit.NO_INPUT


def test_a_store_that_is_there_or_has_no_directory_passes(tmp_path: Path) -> None:
    check_store_is_there(f"sqlite://{tmp_path}")
    check_store_is_there("memory:")
