"""A file that says: damage was met in this store.

Where it stands, the next start looks at all of the database.

The start's own proof is quick and may miss the page that was met. Without the mark a server that is
started again and again would meet it again and again. The mark is made on any thread, and removed
when the whole database was found sound.
"""

from contextlib import suppress
from pathlib import Path


class DamageMark:
    """One store's."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "damaged"

    @property
    def is_there(self) -> bool:
        """Whether damage was met since all of it was last found sound."""
        return self._path.exists()

    def leave(self, text: str) -> None:
        """Say what was met.

        A disk that does not even take this is met again by the next start's proof, or by use.
        """
        with suppress(OSError):
            self._path.write_text(f"{text}\n", encoding="utf-8")
            self._path.chmod(0o600)

    def remove(self) -> None:
        """Take it away: the database was found sound, or put in its place from a backup."""
        self._path.unlink(missing_ok=True)
