"""Stores made by earlier versions, as archives beside this file: tests/store/stores/COMMIT.tar.xz.

Each has a data directory `store`, the key file `key`, and `make.py`, the script of that commit.
Every later version opens every one of them. An archive is never recreated.
"""

import tarfile
from pathlib import Path

FIRST = "d3d3834"


def unpack(commit: str, target: Path) -> Path:
    """Put a commit's store in `target`; return its data directory."""
    with tarfile.open(Path(__file__).parent / "stores" / f"{commit}.tar.xz") as archive:
        # The archives are ours. Python 3.13 warns unless it is told so, in a way for any 3.11.
        archive.extraction_filter = lambda member, _: member
        archive.extractall(target)
    return target / "store"
