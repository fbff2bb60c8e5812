"""Build a release: every file that people install, a list of its parts, and a signature.

python -m tools.build_release --key KEY [DIRECTORY]    the default is dist/VERSION

`KEY` is a private key of OpenSSH, or a public one whose private key an agent or a security key has.
`SHA256SUMS` names all files, and `SHA256SUMS.sig` is its signature by `ssh-keygen -Y sign`. The
same commit gives the same octets.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from restante import __version__
from tools import build_client, build_deb, build_dist
from tools.build_dist import SUMS
from tools.commit_time import TOP

NAMESPACE: Final = "restante-release"
PARTS: Final = f"restante-{__version__}.cdx.json"
LOCK: Final = "requirements-postgres.lock"
_CYCLONEDX: Final = TOP / ".venv/release/bin/cyclonedx-py"


class NotReleasableError(Exception):
    """The files of the checkout are not those of a commit."""


def build_release(directory: Path, key: Path, wheels: Path | None = None) -> list[Path]:
    """Write and sign all files, and return their places. Raises NotReleasableError."""
    check_commit(changed_files())
    if not key.is_file():
        raise NotReleasableError(f"{key}: is no file; name a key of OpenSSH, private or public")
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    with TemporaryDirectory() as name:
        if wheels is None:
            wheels = Path(name, "wheels")
            build_deb.download(wheels)
        build_dist.build(directory)
        shutil.copyfile(TOP / LOCK, directory / LOCK)
        for build in (build_client.build_zipapp, build_client.build_wheel):
            build(directory)
        build_deb.build_deb(directory, wheels)
        environment = Path(name, "environment")
        build_deb.install(build_deb.debian_python(), environment, directory, wheels)
        (directory / PARTS).write_text(list_parts(environment))
    write_sums(directory)
    sign(directory / SUMS, key)
    for file in directory.iterdir():
        file.chmod(0o644)  # a mask of the shell may have closed it
    return sorted(directory.iterdir())


def changed_files() -> list[str]:
    """Return the files of the checkout that differ from the commit, as git names them."""
    command = ["git", "status", "--porcelain"]
    asked = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True)  # noqa: S603  ours
    return [line[3:] for line in asked.stdout.splitlines()]


def check_commit(changed: Sequence[str]) -> None:
    """Raise NotReleasableError if files differ from the commit."""
    if changed:
        raise NotReleasableError(f"{changed[0]}: not as in the commit; commit it, or put it away")


def list_parts(environment: Path) -> str:
    """Return the software bill of materials of an environment, in CycloneDX's JSON."""
    command = [str(_CYCLONEDX), "environment", "--output-reproducible", "--output-format", "JSON",
               "--pyproject", str(TOP / "pyproject.toml"), str(environment)]  # fmt: skip
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  ours
    return done.stdout


def write_sums(directory: Path) -> None:
    """Write the checksums of all files in a directory."""
    files = sorted(one for one in directory.iterdir() if not one.name.startswith(SUMS))
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in files]
    (directory / SUMS).write_text("".join(lines))


def sign(file: Path, key: Path) -> None:
    """Sign a file, which puts the signature beside it. Raises NotReleasableError."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(file)]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:  # noqa: S603  ours
        raise NotReleasableError(f"{key}: ssh-keygen could not sign with it (see above)")


def main(arguments: list[str]) -> int:
    """Write all, and print the places."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_release")
    parser.add_argument("directory", nargs="?", default=f"dist/{__version__}", type=Path)
    parser.add_argument("--key", required=True, type=lambda text: Path(text).expanduser())
    parser.add_argument("--wheels", type=lambda text: Path(text).absolute())
    chosen = parser.parse_args(arguments)
    try:
        built = build_release(chosen.directory.absolute(), chosen.key, chosen.wheels)
    except (NotReleasableError, build_deb.WrongPythonError) as fault:
        print(f"build_release: {fault}", file=sys.stderr)
        return 1
    for file in built:
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
