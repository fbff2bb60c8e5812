"""The files of the repository, copied into a clean tree."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.packages.clean_tree import CleanTree

CHECKOUT: Final = Path(__file__).parents[2]
PLACE: Final = "/srv/restante"


def copy_checkout(tree: CleanTree) -> None:
    """Copy the files of the repository, without what was made there."""
    files = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(files, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout
    tree.path(PLACE).mkdir(parents=True)
    pack = ["tar", "--create", "--no-recursion", "--null", "--files-from=-"]
    packed = subprocess.run(pack, cwd=CHECKOUT, check=True, input=listed, stdout=subprocess.PIPE)
    unpack = ["tar", "--extract", "--no-same-owner", "--directory", str(tree.path(PLACE))]
    subprocess.run(unpack, check=True, input=packed.stdout)
