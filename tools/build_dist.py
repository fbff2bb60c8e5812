"""Build the source distribution and the wheel of Restante, with man pages in both.

python -m tools.build_dist [DIRECTORY]    writes both there; the default is dist

The wheel is built from the source distribution, so that one is known to suffice. The same commit
gives the same octets: each file has the time of the commit, or SOURCE_DATE_EPOCH if it is set.
`requirements.lock` is put beside them. It pins what the wheel depends on, by hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hatch_build import VARIABLE
from tools.commit_time import TOP, source_epoch
from tools.man_pages import pages

LOCK: Final = "requirements.lock"
SUMS: Final = "SHA256SUMS"
_NAMES: Final = {"sdist": "source distribution", "wheel": "wheel"}


def build(directory: Path) -> list[Path]:
    """Write the source distribution, the wheel, the lock file and their checksums.

    Returns their places.
    """
    directory.mkdir(parents=True, exist_ok=True)
    epoch = source_epoch()
    with TemporaryDirectory() as name:
        man = Path(name, "man")
        man.mkdir()
        for page, text in pages(int(epoch)):
            (man / page).write_text(text, encoding="utf-8")
        environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
        sdist = _build("sdist", TOP, directory, {**environment, VARIABLE: str(man)})
        shutil.unpack_archive(sdist, name)
        unpacked = Path(name, sdist.name.removesuffix(".tar.gz"))
        wheel = _build("wheel", unpacked, directory, environment)
    lock = Path(shutil.copyfile(TOP / LOCK, directory / LOCK))
    built = [sdist, wheel, lock]
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in built]
    (directory / SUMS).write_text("".join(lines))
    return [*built, directory / SUMS]


def _build(kind: str, source: Path, directory: Path, environment: Mapping[str, str]) -> Path:
    print(f"Building the {_NAMES[kind]} ...", file=sys.stderr)
    with TemporaryDirectory(dir=directory) as name:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", name]
        # It prints a path that is not the last one.
        subprocess.run(  # noqa: S603  ours
            command, cwd=source, check=True, env=environment, stdout=subprocess.DEVNULL
        )
        [built] = Path(name).iterdir()
        return built.replace(directory / built.name)


def main(arguments: list[str]) -> int:
    """Write all, and print the places."""
    for built in build(Path(arguments[0] if arguments else "dist").absolute()):
        print(built)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
