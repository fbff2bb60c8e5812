"""A file of the log: moved away, removed, full, missing; and logrotate by the guide."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from restante.telemetry.log_file import LogFile
from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import LinesUnwritten

GUIDE = Path(__file__).parents[2] / "docs/how-to/keep-the-log.md"
LOGROTATE = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(text, "2026-11-30T08:00:00.000000Z", "info", "mail-held") for text in texts]


def open_files() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "restante.log"


def test_lines_are_appended_to_a_file_that_others_cannot_read(path: Path) -> None:
    path.write_text("before\n")
    path.chmod(0o600)
    LogFile(path).write(lines("a", "b"))
    assert path.read_text() == "before\na\nb\n"
    path.unlink()
    LogFile(path).write(lines("c"))
    assert path.stat().st_mode & 0o137 == 0


def test_a_file_that_was_moved_or_removed_is_followed_by_a_new_one(path: Path) -> None:
    log = LogFile(path)
    log.write(lines("a"))
    moved = path.rename(path.with_suffix(".1"))
    log.write(lines("b"))
    assert (moved.read_text(), path.read_text()) == ("a\n", "b\n")
    path.unlink()
    log.write(lines("c"))
    assert path.read_text() == "c\n"
    path.rename(path.with_suffix(".2"))
    path.write_text("")  # logrotate made it
    log.write(lines("d"))
    assert path.read_text() == "d\n"
    os.truncate(path, 0)  # copytruncate
    log.write(lines("e"))
    assert path.read_text() == "e\n"


def test_a_reload_closes_the_file(path: Path) -> None:
    log = LogFile(path)
    before = open_files()
    log.write(lines("a"))
    log.reopen()
    assert open_files() == before
    log.reopen()
    log.write(lines("b"))
    assert path.read_text() == "a\nb\n"


def test_a_missing_directory_and_a_directory_are_failures(path: Path) -> None:
    log = LogFile(path.parent / "log" / "restante.log")
    with pytest.raises(LinesUnwritten, match="No such file or directory") as unwritten:
        log.write(lines("a", "b"))
    assert [line.text for line in unwritten.value.left] == ["a", "b"]
    (path.parent / "log").mkdir()
    log.write(lines("c"))
    assert (path.parent / "log" / "restante.log").read_text() == "c\n"
    with pytest.raises(LinesUnwritten, match="Is a directory"):
        LogFile(path.parent).write(lines("a"))


def test_a_fifo_without_a_reader_stops_nobody(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(LinesUnwritten, match="No such device"):
        LogFile(path).write(lines("a"))


def test_a_full_disk_is_told_with_the_lines_that_are_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, write, room = LogFile(path), os.write, 4

    def write_a_part(descriptor: int, data: memoryview) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = write(descriptor, data[:room])
        room -= count
        return count

    monkeypatch.setattr("os.write", write_a_part)
    with pytest.raises(LinesUnwritten, match="No space left") as unwritten:
        log.write(lines("a", "bbbb", "c"))
    assert [line.text for line in unwritten.value.left] == ["bbbb", "c"]
    with pytest.raises(LinesUnwritten, match="No space left"):
        log.write(lines("d"))
    room = 99
    log.write(lines("e"))
    assert path.read_text() == "a\nbb\ne\n"


def test_a_start_after_a_torn_line_begins_a_new_one(path: Path) -> None:
    path.write_text("a\nbb")
    LogFile(path).write(lines("c"))
    assert path.read_text() == "a\nbb\nc\n"


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")
def test_logrotate_by_the_lines_of_the_guide(path: Path) -> None:
    guide = GUIDE.read_text()
    [snippet] = re.findall(r"^/var/log/restante/.*?^}$", guide, re.MULTILINE | re.DOTALL)
    user, group = path.parent.owner(), path.parent.group()
    text = snippet.replace("/var/log/restante", str(path.parent))
    text = re.sub(r"(su|create 0640) restante restante", rf"\1 {user} {group}", text)
    assert text.count(user) >= 2
    settings = path.with_name("logrotate.conf")
    settings.write_text(text)
    settings.chmod(0o600)
    path.parent.chmod(0o750)
    log = LogFile(path)
    for round_ in "abc":
        log.write(lines(round_))
        assert LOGROTATE is not None
        subprocess.run(
            [LOGROTATE, "--force", "--state", path.with_name("state"), settings], check=True
        )
        assert path.read_text() == ""
    log.write(lines("d"))
    assert path.read_text() == "d\n"
    assert path.with_suffix(".log.1").read_text() == "c\n"
    unpacked = subprocess.run(
        ["zcat", path.with_suffix(".log.2.gz"), path.with_suffix(".log.3.gz")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert unpacked.stdout == "b\na\n"
