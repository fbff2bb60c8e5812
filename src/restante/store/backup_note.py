"""The note in a copy of the store: when it was made, and the key file that opens it.

A copy has no key file, and years may pass until it is needed. The fingerprint names the key and
tells nothing else about it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

NOTE: Final = "backup.txt"
_PRIVATE: Final = 0o600


def note_text(fingerprint: str, made_at: float) -> str:
    """Return the text of the note. `made_at` is Unix time. Pure."""
    made = datetime.fromtimestamp(made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"A copy of the store of a Restante server.\nmade: {made}\nkey file: {fingerprint}\n"
        "It can be opened with that key file only, or a later one after rotations"
        " (restante key show).\n"
    )


def write_note(directory: Path, text: str) -> None:
    """Leave the note in a copy, durably. Blocks. Raises OSError."""
    note = directory / NOTE
    note.touch(mode=_PRIVATE)
    note.write_text(text, "utf-8")
    for path in (note, directory):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
