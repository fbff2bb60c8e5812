"""Only regular files are opened, at once, and an error says whose fault it is."""

import errno
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.store.sqlite.regular_file import (
    BLOCK,
    is_curable,
    look_at,
    open_regular,
    what_is_wrong,
)

MAKERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda _path: None, "is missing"),
    "a directory": (Path.mkdir, "is not a regular file"),
    "a FIFO without a writer": (os.mkfifo, "is not a regular file"),
    "a link": (lambda path: path.symlink_to("/etc/hostname"), "is not a regular file"),
    "a link to nothing": (lambda path: path.symlink_to("/no/such"), "is not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_file_that_is_not_regular_is_refused_without_a_wait(tmp_path: Path, kind: str) -> None:
    make, words = MAKERS[kind]
    make(tmp_path / "file")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError) as raised:  # noqa: PT011  which one is what is tested
        open_regular(tmp_path / "file")
    assert what_is_wrong(raised.value) == words
    assert not is_curable(raised.value)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EACCES, errno.ENOMEM])
def test_an_error_of_ours_is_no_fault_of_the_file(number: int) -> None:
    assert is_curable(OSError(number, os.strerror(number)))


def test_a_sector_that_cannot_be_read_is_named() -> None:
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    assert what_is_wrong(error) == "cannot be read: Input/output error"
    assert not is_curable(error)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])
@pytest.mark.parametrize("beginning", [0, 1, BLOCK + 3, 3 * BLOCK])
def test_a_look_at_a_file_reads_all_of_it(tmp_path: Path, size: int, beginning: int) -> None:
    octets = os.urandom(size)
    (tmp_path / "file").write_bytes(octets)
    found = look_at(tmp_path / "file", beginning)
    assert found == (size, zlib.crc32(octets), octets[:beginning])
