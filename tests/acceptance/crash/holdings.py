"""The disk of a killed server, read without any of its code.

Copies of database and log are opened. So the next server finds them as the last one left them, and
must recover by itself.
"""

from __future__ import annotations

import shutil
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import apsw
from cryptography.exceptions import InvalidTag

from tests.acceptance.crash.books import Books, Key, Piece
from tests.acceptance.crash.unsealing import IS_SEALED, content_of, data_key

_ROWS: Final = """
    SELECT number, domain.name, held_paths, head, file, size, head_crc32, domain_id, sealed
    FROM message LEFT JOIN domain ON domain.id = domain_id LEFT JOIN data_key USING (domain_id)
    ORDER BY number
"""


@dataclass(slots=True)
class Held:
    """The messages in a store."""

    keys: Counter[Key] = field(default_factory=Counter)
    numbers: dict[int, Key] = field(default_factory=dict)  # of the rows
    spoiled: list[str] = field(default_factory=list)
    by_file: dict[str, Key] = field(default_factory=dict)  # of each content file that a row names
    files: set[str] = field(default_factory=set)  # content files that are there

    @property
    def orphans(self) -> set[str]:
        """Files without a row."""
        return self.files - self.by_file.keys()

    @property
    def copies(self) -> int:
        """Rows beyond the first of a message."""
        return self.keys.total() - len(self.keys)


class Reader:
    """Reads one store again and again. Content that was found whole is not compared again."""

    def __init__(self, directory: Path, books: Books, key_file: Path) -> None:
        self._directory = directory
        self._key = key_file.read_bytes()
        self._books = books
        self._proven: dict[int, Key] = {}

    def look(self, *, is_thorough: bool = False) -> Held:
        """Read what is there while nobody writes."""
        held = Held(
            files={
                f"{path.parent.name}/{path.name}" for path in self._directory.glob("content/*/*")
            }
        )
        seen: dict[int, Key] = {}
        with TemporaryDirectory(prefix="restante-look-") as name:
            connection = apsw.Connection(str(self._copied(Path(name))))
            try:
                for row in connection.execute(_ROWS):
                    known = None if is_thorough else self._proven.get(row[0])
                    seen[row[0]] = (
                        known if known is not None and row[4] is None else self._proof(row, held)
                    )
                    held.keys[seen[row[0]]] += 1
                if is_thorough:
                    held.spoiled += _complaints(connection)
            finally:
                connection.close()
        self._proven = held.numbers = seen
        return held

    def _copied(self, place: Path) -> Path:
        for suffix in ("", "-wal"):
            file = self._directory / f"restante.db{suffix}"
            if file.exists():
                shutil.copyfile(file, place / file.name)
        return place / "restante.db"

    def _proof(self, row: tuple[Any, ...], held: Held) -> Key:
        """Compare a message with the one that was sent."""
        number, domain, held_paths, head, file, size, head_crc32, domain_id, sealed = row
        in_file = None
        if file is not None:
            path = self._directory / "content" / file
            in_file = path.read_bytes() if path.exists() else b""
        content = head + (in_file or b"")
        if head_crc32 & IS_SEALED:
            try:
                key = data_key(self._key, domain_id, sealed)
                content = content_of(key, number, head, in_file)
            except InvalidTag:
                held.spoiled.append(f"held: row {number} does not open")
        found, wrong = self._books.key_of(Piece(tuple(held_paths.split("\n")), content))
        if not wrong and (len(content) != size or found.domain != domain):
            wrong = (
                f"{found}: row {number} has {size} octets for {domain}; {len(content)} are there"
            )
        if wrong:
            held.spoiled.append(f"held: {wrong} (crc32 {zlib.crc32(content):08x})")
        if file is not None:
            held.by_file[file] = found
        return found


def _complaints(connection: apsw.Connection) -> list[str]:
    """Ask the engine whether the database hangs together."""
    return [
        f"database: {text}"
        for (text,) in connection.execute("PRAGMA integrity_check")
        if text != "ok"
    ]
