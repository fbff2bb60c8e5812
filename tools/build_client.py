"""Build restante-client: a wheel, and one file that any Python runs.

python -m tools.build_client [DIRECTORY]    writes both there; the default is dist

The same commit gives the same octets, as with tools/build_dist.py.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tools.commit_time import source_epoch

TOP: Final = Path(__file__).parents[1]
PACKAGE: Final = TOP / "src" / "restante_client"
ZIPAPP: Final = "restante-client.pyz"
_START: Final = "import sys\nfrom restante_client.__main__ import start\nsys.exit(start())\n"


def build_zipapp(directory: Path) -> Path:
    """Write the single file, and return its place."""
    target = directory / ZIPAPP
    modules = sorted(PACKAGE.rglob("*.py"))
    files = {path.relative_to(PACKAGE.parent).as_posix(): path.read_bytes() for path in modules}
    files["__main__.py"] = _START.encode()
    when = datetime.fromtimestamp(int(source_epoch()), UTC)
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                member = zipfile.ZipInfo(name, when.timetuple()[:6])
                member.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(member, content, zipfile.ZIP_DEFLATED)
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
    environment = {**os.environ, "SOURCE_DATE_EPOCH": source_epoch()}
    subprocess.run(command, cwd=TOP / "client", check=True, env=environment, stdout=sys.stderr)  # noqa: S603  ours
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
