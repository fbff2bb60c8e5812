"""The condition of a store: which errors end it, and which of these a new start must look into."""

import apsw
import pytest

from restante.store.sqlite.store_health import StoreHealth
from restante.store.store_errors import StoreError


def io_error(extended: int) -> apsw.IOError:
    """An error of the disk, with SQLite's extended result code."""
    error = apsw.IOError("disk I/O error")
    error.extendedresult = extended  # type: ignore[attr-defined]
    return error


NOT_A_TEXT = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


@pytest.mark.parametrize(
    ("error", "is_final", "is_damage"),
    [
        (apsw.CorruptError("malformed"), True, True),
        (apsw.NotADBError("not a database"), True, True),
        (NOT_A_TEXT, True, True),
        (io_error(apsw.SQLITE_IOERR_READ), True, True),
        (io_error(apsw.SQLITE_IOERR_SHORT_READ), True, True),
        (io_error(apsw.SQLITE_IOERR_FSYNC), True, False),
        (io_error(apsw.SQLITE_IOERR_WRITE), True, False),
        (io_error(apsw.SQLITE_IOERR_SHMSIZE), False, False),
        (apsw.FullError("full"), False, False),
        (apsw.BusyError("busy"), False, False),
        (MemoryError(), False, False),
        (ValueError("a mistake of ours"), False, False),
    ],
)
def test_an_error_is_final_or_passes_and_damage_is_marked(
    error: Exception, is_final: bool, is_damage: bool
) -> None:
    marks: list[str] = []
    health = StoreHealth(marks.append)
    health.meet(error, "reading")
    assert bool(health.failure) == is_final
    assert marks == ([f"reading: {error}"] if is_damage else [])
    if is_final:
        with pytest.raises(StoreError, match=r"reading: .*: the store must be reopened"):
            health.check()
    else:
        health.check()


def test_the_first_reason_is_the_one_that_is_kept() -> None:
    health = StoreHealth()
    health.fail("syncing content: input/output error")
    health.fail("rolling back: malformed")
    assert health.failure == "syncing content: input/output error: the store must be reopened"
