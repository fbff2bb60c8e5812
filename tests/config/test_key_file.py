"""The key file: 32 octets that nobody else may read."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.config.key_file import MOST_KEYS, KeyUnusable, add_key, read_key

KEY = bytes(range(32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A key in order."""
    path = tmp_path / "restante.key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_is_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert read_key(file) == KEY


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o610, 0o601, 0o666])
def test_a_key_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(KeyUnusable, match=f"others may read it .mode 0{mode:o}.; chmod 600 {file}"):
        read_key(file)


def owned_by(number: int) -> Callable[[int], os.stat_result]:
    """Return a stand-in for `os.fstat` that says so of each file."""
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        facts = list(real(descriptor))
        facts[stat.ST_UID] = number
        return os.stat_result(facts)

    return fstat


@pytest.mark.parametrize("mode", [0o640, 0o440])
def test_a_group_may_read_a_key_of_root(
    file: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(mode)
    monkeypatch.setattr(os, "fstat", owned_by(0))
    assert read_key(file) == KEY
    monkeypatch.setattr(os, "fstat", owned_by(1000))
    with pytest.raises(KeyUnusable, match="others may read it"):
        read_key(file)


@pytest.mark.parametrize("key", [b"", KEY[1:], KEY + b"\n"])
def test_a_key_of_another_length_is_refused(file: Path, key: bytes) -> None:
    file.write_bytes(key)
    with pytest.raises(KeyUnusable, match="does not hold 32 octets"):
        read_key(file)


def test_a_key_that_is_missing_or_no_file_is_refused(file: Path) -> None:
    file.unlink()
    with pytest.raises(KeyUnusable, match=f"{file}: is not there; restore it from your copy"):
        read_key(file)
    file.mkdir()
    with pytest.raises(KeyUnusable, match="cannot be read: Is a directory"):
        read_key(file)


def test_former_keys_are_behind_a_new_one(file: Path) -> None:
    file.chmod(0o400)
    add_key(file)
    keys = read_key(file)
    assert keys[32:] == KEY
    assert keys[:32] != KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o400
    assert list(file.parent.iterdir()) == [file]


def test_the_file_behind_a_link_is_replaced(file: Path) -> None:
    link = file.parent / "link" / "restante.key"
    link.parent.mkdir()
    link.symlink_to(file)
    add_key(link)
    assert link.is_symlink()
    assert read_key(file)[32:] == KEY


def test_an_interrupted_replacement_changes_nothing_and_stops_no_other(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        add_key(file)
    assert read_key(file) == KEY
    monkeypatch.undo()
    add_key(file)
    assert read_key(file)[32:] == KEY


def test_a_file_has_so_many_keys_at_most(file: Path) -> None:
    file.write_bytes(KEY * MOST_KEYS)
    with pytest.raises(KeyUnusable, match="cannot be rotated again"):
        add_key(file)
    file.write_bytes(KEY * (MOST_KEYS + 1))
    with pytest.raises(KeyUnusable, match="does not hold 32 octets"):
        read_key(file)
