"""The time that built files have: that of the commit, or SOURCE_DATE_EPOCH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[1]
_NO_COMMIT: Final = "1580601600"  # outside a repository: the time that hatchling uses


def source_epoch() -> str:
    """Return the Unix time of all files."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        asked = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True)  # noqa: S603  ours
    except (OSError, subprocess.CalledProcessError):
        return _NO_COMMIT
    return asked.stdout.strip()
