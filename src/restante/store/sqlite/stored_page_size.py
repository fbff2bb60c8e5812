"""The size of the pages of a database whose header may be lost.

The header says it, and so does the header of the log. If both are lost, the pages tell: one that
belongs to a table or an index has a beginning that hardly any content has. Databases of this
program have pages of 4 KiB, or of 16 KiB from earlier versions. So only in the former such pages
begin at places between those of 16 KiB pages.

The formats are SQLite's (https://www.sqlite.org/fileformat2.html §1.3, §1.6, §4.1).
"""

import os
import struct
from pathlib import Path
from typing import Final

SMALL: Final = 4096
LARGE: Final = 16384  # of databases that earlier versions made
_MOST_OCTETS: Final = 64 << 20  # that are looked at: all tables begin there
_MAGIC: Final = b"SQLite format 3\0"
_LOG_MAGIC: Final = (0x377F0682, 0x377F0683)
_LOG_START: Final = struct.Struct(">III")  # magic, version, octets of a page
_PAGE_START: Final = struct.Struct(">BHHHB")  # kind, free block, cells, start of cells, free octets
_INNER: Final = (2, 5)
_LEAVES: Final = (10, 13)
_MOST_FREE: Final = 60  # octets of fragments


def stored_page_size(database: Path) -> int:
    """Return the octets of a page. Raises OSError for a file that cannot be opened."""
    return _by_header(database) or _by_log(database) or _by_pages(database)


def _by_header(database: Path) -> int:
    """Return what the header says, 0 if it is lost."""
    octets = _beginning(database)
    size = int.from_bytes(octets[16:18])
    return size if octets.startswith(_MAGIC) and size in {SMALL, LARGE} else 0


def _by_log(database: Path) -> int:
    """Return what the header of the log says, 0 if there is none."""
    log = database.with_name(f"{database.name}-wal")
    octets = _beginning(log) if log.exists() else b""
    if len(octets) < _LOG_START.size:
        return 0
    magic, _, size = _LOG_START.unpack_from(octets)
    return int(size) if magic in _LOG_MAGIC and size in {SMALL, LARGE} else 0


def _by_pages(database: Path) -> int:
    """Return the likelier size: of tables' and indexes' pages, three of four begin in between."""
    between = at_both = 0
    with database.open("rb", buffering=0) as file:
        for at in range(0, min(os.fstat(file.fileno()).st_size, _MOST_OCTETS), SMALL):
            is_at_both = not at % LARGE
            if _begins_a_page(_read(file.fileno(), at), LARGE if is_at_both else SMALL):
                at_both += is_at_both
                between += not is_at_both
    return SMALL if between > at_both else LARGE


def _begins_a_page(octets: bytes, size: int) -> bool:
    """Tell whether these octets can begin a page of a table or an index."""
    if len(octets) < _PAGE_START.size:
        return False
    kind, _, cells, start, free = _PAGE_START.unpack_from(octets)
    if kind not in (*_INNER, *_LEAVES) or free > _MOST_FREE:
        return False
    return bool((12 if kind in _INNER else 8) + 2 * cells <= start <= size)


def _beginning(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return _read(file.fileno(), 0)


def _read(descriptor: int, at: int) -> bytes:
    """Return some octets, b"" where the disk does not return them."""
    try:
        return os.pread(descriptor, 32, at)
    except OSError:
        return b""
