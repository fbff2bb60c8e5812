"""A disk of a few megabytes that a test can fill: a tmpfs that it mounts, which needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.peers.programs import missing, require_root

MEBIBYTE: Final = 1024 * 1024
_PIECE: Final = b"x" * MEBIBYTE


class SmallDisk:
    """A small file system mounted at a directory within a `with`. Its files outlive the `with`."""

    def __init__(self, place: Path, octets: int) -> None:
        require_root()
        self._place = place
        self._octets = octets
        self._filler = place / "filler"

    def __enter__(self) -> Self:
        with TemporaryDirectory() as name:
            kept = shutil.copytree(self._place, Path(name) / "kept")
            self._mount()
            shutil.copytree(kept, self._place, dirs_exist_ok=True)
        return self

    def _mount(self) -> None:
        options = f"size={self._octets},mode=0700"
        command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self._place]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            missing(f"a file system of a test's own cannot be mounted: {done.stderr.strip()}")

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", self._place], check=True)

    @property
    def free(self) -> int:
        """How much fits yet."""
        facts = os.statvfs(self._place)
        return facts.f_bavail * facts.f_frsize

    def fill(self, *, but: int = 0) -> None:
        """Take all the room there is, but for so many octets."""
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while (rest := self.free - but) > 0:
                filler.write(_PIECE[: min(rest, MEBIBYTE)])

    def clear(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)
