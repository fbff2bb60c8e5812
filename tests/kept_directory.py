"""A temporary directory until the end of the process that made it."""

import atexit
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp


def kept_directory(prefix: str) -> Path:
    """Make one. A process that was forked does not remove it: some Pythons run `atexit` there."""
    directory = Path(mkdtemp(prefix=prefix))
    atexit.register(_remove, directory, os.getpid())
    return directory


def _remove(directory: Path, maker: int) -> None:
    if os.getpid() == maker:
        shutil.rmtree(directory, ignore_errors=True)
