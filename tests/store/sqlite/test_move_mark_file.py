"""The mark of a move is a file that a crash leaves whole, and that nobody can misread."""

from pathlib import Path

import pytest

from restante.store.moving.move_mark import MoveMark, MovePhase
from restante.store.sqlite.move_mark_file import (
    check_not_moved,
    mark_in,
    url_of_directory,
    write_mark,
)
from restante.store.store_errors import StoreMismatched, StoreMisplaced

MARK = MoveMark("id", MovePhase.LEFT, "postgresql://db1/restante", 1.5)


def test_a_mark_is_written_replaced_and_removed(tmp_path: Path) -> None:
    assert mark_in(tmp_path) is None
    check_not_moved(tmp_path)
    write_mark(tmp_path, MARK)
    assert mark_in(tmp_path) == MARK
    assert (tmp_path / "move").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreMismatched, match="was moved to postgresql"):
        check_not_moved(tmp_path)
    write_mark(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_mark_keeps_servers_away(tmp_path: Path) -> None:
    (tmp_path / "move").write_text("moved\n")
    with pytest.raises(StoreMisplaced, match="remove it if no `restante store move` was run here"):
        check_not_moved(tmp_path)


def test_the_url_of_a_directory_is_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert url_of_directory(Path("data")) == f"sqlite://{tmp_path}/data"
