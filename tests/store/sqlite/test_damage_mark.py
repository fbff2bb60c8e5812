"""The mark of damage: it stays until it is removed, and a disk that takes none raises nothing."""

import stat
from pathlib import Path

from restante.store.sqlite.damage_mark import DamageMark


def test_it_outlives_who_left_it_and_goes_when_it_is_removed(tmp_path: Path) -> None:
    mark = DamageMark(tmp_path)
    assert not mark.is_there
    mark.leave("reading: page 7 is malformed")
    assert DamageMark(tmp_path).is_there
    [file] = tmp_path.iterdir()
    assert file.read_text() == "reading: page 7 is malformed\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    mark.remove()
    mark.remove()
    assert not DamageMark(tmp_path).is_there


def test_where_it_cannot_be_written_nothing_is_raised(tmp_path: Path) -> None:
    mark = DamageMark(tmp_path / "missing")
    mark.leave("reading")
    assert not mark.is_there
