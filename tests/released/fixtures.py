"""Read a recorded store: SQL text, and in comments behind it the files of the store."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw

DIRECTORY: Final = Path(__file__).parent
FILE: Final = "-- file "
LINE: Final = "All work and no play makes a dull message."
LINES: Final = 7000 * f"{LINE}\n"
SMALL: Final = "Subject: small\n\nHello.\n"
LARGE: Final = f"Subject: large\n\n{LINES}"  # too large for a row: a file of its own
_HEX: Final = f"{LINE}\r\n".encode().hex()
_MANY: Final = re.compile(f"(?:{_HEX}){{2,}}")
_COUNT: Final = re.compile(r"<(\d+) lines>")


def packed(line: str) -> str:
    """Return a line of SQL with the number of equal lines in it instead of these."""
    return _MANY.sub(lambda found: f"<{len(found[0]) // len(_HEX)} lines>", line)


def recorded(database: str) -> list[Path]:
    """Return the fixtures of a kind of database, the oldest first."""
    return sorted(DIRECTORY.glob(f"{database}-*.sql"))


def schema_of(fixture: Path) -> int:
    """Return the version of the tables in a fixture."""
    return int(fixture.stem.partition("-")[2])


def statements(fixture: Path) -> str:
    """Return the SQL of a fixture."""
    return _COUNT.sub(lambda found: _HEX * int(found[1]), fixture.read_text(encoding="utf-8"))


def write_files(fixture: Path, directory: Path) -> None:
    """Write the files of a fixture into a directory: the key file, and content in `data`."""
    for name, octets in _files(fixture):
        path = directory / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(octets)


def write_sqlite(fixture: Path, directory: Path) -> None:
    """Write the store of a fixture: `data` and the key file."""
    (directory / "data" / "content").mkdir(parents=True, mode=0o700)
    write_files(fixture, directory)
    connection = apsw.Connection(str(directory / "data" / "restante.db"))
    connection.execute(statements(fixture))
    connection.close()


def _files(fixture: Path) -> Iterator[tuple[str, bytes]]:
    for line in fixture.read_text(encoding="utf-8").splitlines():
        if line.startswith(FILE):
            name, text = line.removeprefix(FILE).split()
            yield name, zlib.decompress(base64.b64decode(text))
