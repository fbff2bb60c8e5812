"""Rows of the table of messages, read from pages without the tree, for when an inner page is lost.

The format is SQLite's (https://www.sqlite.org/fileformat2.html §1.6, §2.1, §4.2). A leaf of a table
b-tree begins with the octet 13. Each cell is a varint for the payload's size, one for the rowid,
and a record, which continues in overflow pages. A page that the log has is taken from there.
Nothing read here is believed before its checksum has been compared.
"""

import struct
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import is_whole

_TABLE_LEAF = 0x0D
_FILE_HEADER = 100
_LOG_HEADER, _FRAME_HEADER = 32, 24
_MOST_CELLS = 4096
_FIXED = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8}  # serial type: octets
_REAL, _ZERO, _ONE, _FIRST_BLOB = 7, 8, 9, 12


class _NotARecord(ValueError):  # noqa: N818
    """The octets there are no record."""


class LeafPages:
    """A database file and its log, page by page."""

    def __init__(self, path: Path, page_size: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._page_size = page_size
        log = path.with_name(f"{path.name}-wal")
        self._log = log.open("rb", buffering=0) if log.exists() else None
        self._in_log = dict(self._frames(log)) if log.exists() else {}
        self._count = path.stat().st_size // page_size
        self._last = max(self._count, *self._in_log, 0)

    def close(self) -> None:
        """Let go of the files."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield the rowid and the columns of whatever looks like a row of a table."""
        for number in range(1, self._last + 1):
            page = self._page(number)
            start = _FILE_HEADER if number == 1 else 0
            if page and page[start] == _TABLE_LEAF:
                yield from self._rows_of(page, start)

    def _frames(self, log: Path) -> Iterator[tuple[int, int]]:
        """Yield the number and place of each page in the log; the last copy of a page counts."""
        with log.open("rb", buffering=0) as file:
            size = log.stat().st_size
            place = _LOG_HEADER
            while place + _FRAME_HEADER + self._page_size <= size:
                number = _read(file, place, 4)
                if len(number) == 4:  # noqa: PLR2004
                    yield struct.unpack(">I", number)[0], place + _FRAME_HEADER
                place += _FRAME_HEADER + self._page_size

    def _page(self, number: int) -> bytes:
        """Return a page, b"" for one that is not there or that the disk does not return."""
        if self._log is not None and number in self._in_log:
            return _read(self._log, self._in_log[number], self._page_size)
        if not 1 <= number <= self._count:  # a damaged page names any
            return b""
        return _read(self._file, (number - 1) * self._page_size, self._page_size)

    def _rows_of(self, page: bytes, start: int) -> Iterator[tuple[int, Row]]:
        count = min(struct.unpack_from(">H", page, start + 3)[0], _MOST_CELLS)
        for index in range(count):
            try:
                place = struct.unpack_from(">H", page, start + 8 + 2 * index)[0]
                size, place = _varint(page, place)
                rowid, place = _varint(page, place)
                yield rowid, tuple(_columns(self._payload(page, place, size)))
            except (
                IndexError,
                struct.error,
                ValueError,
            ):  # this cell is damaged; the next may be whole
                continue

    def _payload(self, page: bytes, place: int, size: int) -> bytes:
        """Return a record of so many octets, the part on overflow pages included (§1.6)."""
        usable = self._page_size
        if size > usable * self._last:  # its overflow pages could lead back to each other
            raise _NotARecord
        most, least = usable - 35, (usable - 12) * 32 // 255 - 23
        local = size
        if size > most:
            kept = least + (size - least) % (usable - 4)
            local = kept if kept <= most else least
        parts = [page[place : place + local]]
        left = size - local
        following = struct.unpack_from(">I", page, place + local)[0] if left else 0
        while left > 0:
            overflow = self._page(following) if following else b""
            if len(overflow) != usable:
                raise _NotARecord
            parts.append(overflow[4 : 4 + min(left, usable - 4)])
            left -= usable - 4
            following = struct.unpack_from(">I", overflow)[0]
        return b"".join(parts)


def _read(file: FileIO, place: int, octets: int) -> bytes:
    """Read from a place, b"" where the disk does not return it."""
    try:
        file.seek(place)
        return file.read(octets)
    except OSError:
        return b""


def is_message(row: Row) -> bool:
    """Tell whether a row is one of the table of messages, with the content that was written."""
    if not 11 <= len(row) <= 14:  # noqa: PLR2004  migrations.py has added three columns at the end
        return False
    head_crc32, head = row[9], row[10]
    return isinstance(head, bytes) and isinstance(row[5], str) and is_whole(head, head_crc32)


def _columns(record: bytes) -> Iterator[object]:
    header_size, place = _varint(record, 0)
    body = header_size
    while place < header_size:
        kind, place = _varint(record, place)
        value, body = _value(record, kind, body)
        yield value


def _value(record: bytes, kind: int, place: int) -> tuple[object, int]:
    """Read a value of a serial type (§2.1); return it and where the next begins."""
    if kind == 0:
        return None, place
    if kind in (_ZERO, _ONE):
        return kind - _ZERO, place
    size = _FIXED.get(kind) if kind < _FIRST_BLOB else (kind - _FIRST_BLOB) // 2
    if size is None or place + size > len(record):
        raise _NotARecord
    octets = record[place : place + size]
    if kind == _REAL:
        return struct.unpack(">d", octets)[0], place + size
    if kind < _FIRST_BLOB:
        return int.from_bytes(octets, "big", signed=True), place + size
    return octets.decode() if kind % 2 else octets, place + size


def _varint(octets: bytes, place: int) -> tuple[int, int]:
    """Read a varint (§1.6); return it and where what follows begins."""
    value = 0
    for index in range(9):
        octet = octets[place + index]
        if index == 8:  # noqa: PLR2004  the ninth has eight bits
            return _signed(value << 8 | octet), place + 9
        value = value << 7 | octet & 0x7F
        if octet < 0x80:  # noqa: PLR2004
            return value, place + index + 1
    raise _NotARecord


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
