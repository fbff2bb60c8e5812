"""A change of a file is noticed, and a mere touch is none if the content can be read."""

import os
from pathlib import Path

import pytest

from restante.config.file_stamp import FileStamp, signature


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("first")
    return path


def test_a_file_that_nobody_touched_has_not_changed(file: Path) -> None:
    assert not FileStamp.of(file).has_changed(file)


def test_another_content_is_a_change_though_size_and_time_are_the_same(file: Path) -> None:
    stamp, facts = FileStamp.of(file), file.stat()
    file.write_text("other")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert stamp.has_changed(file)


def test_a_file_that_was_replaced_by_the_same_content_has_not_changed(file: Path) -> None:
    stamp = FileStamp.of(file)
    new = file.with_name("new")
    new.write_text("first")
    new.replace(file)
    assert not stamp.has_changed(file)


def test_a_file_that_is_gone_has_changed(file: Path) -> None:
    stamp = FileStamp.of(file)
    file.unlink()
    assert stamp.has_changed(file)
    assert signature(file) == ()


def refusing(_path: Path, *_: object, **__: object) -> bytes:
    raise PermissionError(13, "Permission denied")


def test_of_a_file_that_may_not_be_read_any_touch_counts(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = FileStamp.of(file)
    monkeypatch.setattr(Path, "read_bytes", refusing)
    assert not stamp.has_changed(file)
    file.touch()
    assert stamp.has_changed(file)


def test_of_a_file_whose_directory_may_not_be_searched_nothing_is_known(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = FileStamp.of(file)
    monkeypatch.setattr(Path, "stat", refusing)
    assert not stamp.has_changed(file)
