"""The mark of a move in a data directory (`moving/move_mark`). Blocks.

It is a file beside the database: a mark of the source must change nothing in it.
"""

import os
from pathlib import Path
from typing import Final

from restante.store.moving.move_mark import MoveMark, check_mark, read_mark
from restante.store.sqlite.backup import sync
from restante.store.store_errors import StoreMisplaced

MOVE_MARK: Final = "move"
_NEW: Final = "move.new"


def mark_in(directory: Path) -> MoveMark | None:
    """Return the mark of a store. Raises StoreMisplaced if it cannot be read, OSError."""
    try:
        return read_mark((directory / MOVE_MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreMisplaced(
            f"{directory / MOVE_MARK}: {error}; restore it, or remove it if no `restante store"
            " move` was run here"
        ) from None


def check_not_moved(directory: Path) -> None:
    """Raise StoreMismatched if a move keeps servers away from this store."""
    check_mark(mark_in(directory), url_of_directory(directory))


def write_mark(directory: Path, mark: MoveMark | None) -> None:
    """Replace the mark, durably. Raises OSError."""
    if mark is None:
        (directory / MOVE_MARK).unlink(missing_ok=True)
    else:
        new = directory / _NEW
        new.write_text(mark.as_text() + "\n", encoding="utf-8")
        new.chmod(0o600)
        sync(new)
        new.rename(directory / MOVE_MARK)
    sync(directory)


def url_of_directory(directory: Path) -> str:
    """Return the URL of a store in a directory."""
    return f"sqlite://{os.path.abspath(directory)}"  # noqa: PTH100  links in it stay as they are
