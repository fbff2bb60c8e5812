"""The write-ahead log after a start: whether damage has cut committed transactions off.

SQLite ends a log at the first frame that does not fit, and says nothing. After a power cut that is
right: each transaction is synced before the next is written, so only the last can be torn. Damage
looks different: whole transactions stand behind that frame, or the log has no header. Then
acknowledged mail is lost, and the database would begin again in an older state.

Format: https://sqlite.org/fileformat2.html#the_write_ahead_log, https://sqlite.org/walformat.html.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from restante.store.sqlite.regular_file import is_unreadable

_HEADER: Final = struct.Struct(">8I")  # magic, version, page size, sequence, 2 salts, 2 checksums
_FRAME: Final = struct.Struct(">6I")  # page, size of the database at a commit, 2 salts, 2 checksums
_COUNTED: Final = 8  # octets of a frame's header that its checksum counts, and then the page
_ORDERS: Final = {0x377F0682: "<", 0x377F0683: ">"}  # of the words in checksums, by magic
_LAST_VALID: Final = (16, 4)  # place in the index of the last frame that SQLite takes
_WORD: Final = 0xFFFF_FFFF


class _Frame(NamedTuple):
    at: int  # octets from the beginning
    is_commit: bool
    checksum: tuple[int, int]


def lost_part(database: Path) -> str:
    """Return the damage to the log of a database that a connection has read from, "" for none.

    Another connection may write meanwhile. Raises OSError for whatever is no fault of the disk.
    """
    try:
        return _lost_part(database)
    except OSError as error:
        if not is_unreadable(error):
            raise
        return f"its log cannot be read: {error.strerror}"


def _lost_part(database: Path) -> str:
    log, index = (database.with_name(database.name + end) for end in ("-wal", "-shm"))
    if not log.exists() or not index.exists():
        return ""
    with log.open("rb") as file:
        head = file.read(_HEADER.size)
        if not file.read(1):
            return ""
        if not _is_header(head):
            return "its log has lost its header, and with it all transactions in it"
        valid = _last_valid(index)
        if _has_lost_commit(file, head, valid) and _last_valid(index) == valid:
            return "its log is damaged, and transactions behind the damage are lost"
    return ""


def _is_header(head: bytes) -> bool:
    magic, *_, first, second = _HEADER.unpack(head)
    order = _ORDERS.get(magic)
    return order is not None and _checksum(head[:24], order, (0, 0)) == (first, second)


def _last_valid(index: Path) -> int:
    start, octets = _LAST_VALID
    with index.open("rb") as file:
        file.seek(start)
        (frame,) = struct.unpack("=I", file.read(octets))
    return int(frame)


def _has_lost_commit(file: BinaryIO, head: bytes, valid: int) -> bool:
    """Return whether a transaction behind the valid frames was followed by another.

    The checksum of the next frame includes that of the commit, so remains of an earlier power cut
    do not pass for one.
    """
    magic, _, page_size, _, *salts, _, _ = _HEADER.unpack(head)
    before: _Frame | None = None
    for frame in _frames(file, page_size, salts, valid):
        if (
            before is not None
            and before.is_commit
            and frame.at == before.at + _FRAME.size + page_size
        ):
            file.seek(frame.at)
            octets = file.read(_FRAME.size + page_size)
            counted = octets[:_COUNTED] + octets[_FRAME.size :]
            if _checksum(counted, _ORDERS[magic], before.checksum) == frame.checksum:
                return True
        before = frame
    return False


def _frames(file: BinaryIO, page_size: int, salts: list[int], valid: int) -> Iterator[_Frame]:
    """Yield the whole frames behind the valid ones that are of this log, in order."""
    step = _FRAME.size + page_size
    end = file.seek(0, 2)
    for at in range(_HEADER.size + valid * step, end - step + 1, step):
        file.seek(at)
        _, size, *its_salts, first, second = _FRAME.unpack(file.read(_FRAME.size))
        if its_salts == salts:
            yield _Frame(at, bool(size), (first, second))


def _checksum(octets: bytes, order: str, seed: tuple[int, int]) -> tuple[int, int]:
    first, second = seed
    words = struct.unpack(f"{order}{len(octets) // 4}I", octets)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second
