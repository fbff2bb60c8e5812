"""Build restante-client: a wheel, and one file that any Python runs.

python -m tools.build_client [DIRECTORY]    writes both there; the default is dist
"""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import zipapp
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

TOP: Final = Path(__file__).parents[1]
PACKAGE: Final = TOP / "src" / "restante_client"
ZIPAPP: Final = "restante-client.pyz"
_START: Final = "import sys\nfrom restante_client.__main__ import start\nsys.exit(start())\n"


def build_zipapp(directory: Path) -> Path:
    """Write the single file, and return its place."""
    target = directory / ZIPAPP
    with TemporaryDirectory() as name:
        stage = Path(name)
        unwanted = shutil.ignore_patterns("__pycache__", "py.typed")
        shutil.copytree(PACKAGE, stage / PACKAGE.name, ignore=unwanted)
        (stage / "__main__.py").write_text(_START)
        zipapp.create_archive(stage, target, "/usr/bin/env python3", compressed=True)
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return target


def build_wheel(directory: Path) -> Path:
    """Write the wheel, and return its place."""
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(directory.absolute()),
    ]
    subprocess.run(command, cwd=TOP / "client", check=True, stdout=sys.stderr)  # noqa: S603  ours
    [target] = directory.glob("restante_client-*.whl")
    return target


def main(arguments: list[str]) -> int:
    """Write both."""
    directory = Path(arguments[0] if arguments else "dist")
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("restante_client-*.whl"):
        old.unlink()
    for build in (build_zipapp, build_wheel):
        print(build(directory))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
