"""Build the Debian package of Restante, for the release of Debian that this machine has.

python -m tools.build_deb [DIRECTORY] [--wheels DIRECTORY]    the default is dist

The package has the program and its libraries in an environment of its own, /usr/lib/restante. The
libraries are those of requirements-postgres.lock, verified by their hashes. They are downloaded, or
taken from the directory of `--wheels`. The same commit gives the same octets.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from restante import __version__
from tools.build_dist import build
from tools.commit_time import TOP, source_epoch

PACKAGING: Final = TOP / "contrib/debian"
LOCK: Final = TOP / "requirements-postgres.lock"
PLACE: Final = "/usr/lib/restante"
PROGRAMS: Final = ("restante", "restante-client")
COMPLETIONS: Final = ("bash-completion", "zsh", "fish")
_PIP: Final = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
_UNIT_PROGRAM: Final = "/opt/restante/bin/restante"


class WrongPythonError(Exception):
    """This Python is not that of the machine's packages."""


def build_deb(directory: Path, wheels: Path | None = None) -> Path:
    """Write the package, and return its place."""
    python = debian_python()
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        source = Path(name, "restante")
        source.mkdir()
        build(Path(name, "dist"))
        if wheels is None:
            wheels = Path(name, "wheels")
            download(wheels)
        _say("Installing the libraries ...")
        environment = source / "environment"
        install(python, environment, Path(name, "dist"), wheels)
        arrange(environment)
        share(environment, source)
        mend_records(environment)
        write_packaging(source, (sys.version_info.major, sys.version_info.minor))
        _say("Packing all of it (about half a minute) ...")
        return Path(shutil.move(_packaged(source), directory))


def debian_python() -> Path:
    """Return the interpreter for which the package is built. Raises WrongPythonError."""
    python = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    if Path(sys.base_prefix) != Path("/usr") or not python.exists():
        raise WrongPythonError(
            f"{sys.base_prefix}: the package needs Debian's Python; run make deb"
            " PYTHON=/usr/bin/python3"
        )
    return python


def download(wheels: Path) -> None:
    """Download the libraries, verified by hash."""
    _say("Downloading the libraries ...")
    _run(*_PIP, "download", "--only-binary=:all:", "--no-deps", "--require-hashes",
         "--requirement", LOCK, "--dest", wheels)  # fmt: skip


def install(python: Path, environment: Path, dist: Path, wheels: Path) -> None:
    """Make an environment with the program of `dist` and its libraries of `wheels`."""
    _run(python, "-m", "venv", "--without-pip", environment)
    pip = (*_PIP, "--isolated", "--python", environment / "bin/python", "install", "--no-index",
           "--no-deps", "--no-compile", "--only-binary=:all:")  # fmt: skip
    _run(*pip, "--require-hashes", "--find-links", wheels, "--requirement", LOCK)
    # By name, since a path would be recorded.
    _run(*pip, "--find-links", dist, f"restante=={__version__}")


def arrange(environment: Path) -> None:
    """Prepare an environment for its place, where it is not yet. Only our own programs stay."""
    interpreter = f"#!{PLACE}/bin/python3\n"
    for program in environment.glob("bin/*"):
        if program.name in PROGRAMS:
            _, code = program.read_text().split("\n", 1)
            program.write_text(interpreter + code)
        elif not program.name.startswith("python"):
            program.unlink()
    settings = environment / "pyvenv.cfg"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if not line.startswith("command")))
    for unwanted in ("include", "lib64"):
        _remove(environment / unwanted)


def share(environment: Path, source: Path) -> None:
    """Take the files for other programs from the environment to the places of the distribution."""
    shared = source / "shared"
    for name in COMPLETIONS:
        target = "zsh/vendor-completions" if name == "zsh" else name
        inside = "zsh/site-functions" if name == "zsh" else name
        shutil.copytree(environment / "share" / inside, shared / target)
        shutil.rmtree(environment / "share" / name)
    (source / "man").mkdir()
    for page in environment.glob("share/man/man1/restante*.1"):  # not those of libraries
        shutil.move(page, source / "man")
    shutil.rmtree(environment / "share/man")
    unit = environment / "share/restante/restante.service"
    (source / "restante.service").write_text(unit_of(unit.read_text()))
    unit.unlink()
    unit.symlink_to(f"/lib/systemd/system/{unit.name}")


def mend_records(environment: Path) -> None:
    """Leave out files that were taken away, and checksums of those that were changed.

    pip makes programs with the path of the environment, so their checksums vary.
    """
    for record in environment.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        kept = []
        for line in record.read_text().splitlines():
            name, _, _ = line.rpartition(",")[0].rpartition(",")
            file = record.parents[1] / name
            if os.path.lexists(file):
                is_changed = file.is_symlink() or "../bin/" in name
                kept.append(f"{name},,\n" if is_changed else f"{line}\n")
        record.write_text("".join(kept))


def unit_of(unit: str) -> str:
    """Return the unit with the program of the package. It waits for a configuration."""
    waiting = "[Unit]\nConditionPathExists=/etc/restante/restante.toml\n"
    return unit.replace(_UNIT_PROGRAM, "/usr/bin/restante").replace("[Unit]\n", waiting)


def write_packaging(source: Path, python: tuple[int, int]) -> None:
    """Write the directory `debian`."""
    debian = source / "debian"
    shutil.copytree(PACKAGING, debian)
    shutil.copyfile(TOP / "CHANGELOG.md", source / "CHANGELOG.md")
    shutil.move(source / "restante.service", debian / "restante.service")
    (debian / "changelog").write_text(changelog(int(source_epoch()), release()))
    major, minor = python
    bounds = f"python3 (>= {major}.{minor}~), python3 (<< {major}.{minor + 1}~)"
    control = debian / "control"
    control.write_text(control.read_text().replace("${python:Depends}", bounds))


def release() -> str:
    """Return the distribution's release as part of a version: deb12, for instance."""
    lines = Path("/etc/os-release").read_text().splitlines()
    facts = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return facts["ID"].replace("debian", "deb") + facts.get("VERSION_ID", "")


def changelog(epoch: int, release: str) -> str:
    """Return the changelog of the package, with one entry."""
    when = datetime.fromtimestamp(epoch, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    maintainer = next(_fields("Maintainer"))
    return (
        f"restante ({__version__}-1+{release}) unstable; urgency=medium\n\n"
        f"  * Version {__version__}; /usr/share/doc/restante/changelog.gz has its changes.\n\n"
        f" -- {maintainer}  {when}\n"
    )


def _fields(name: str) -> Iterator[str]:
    """Yield the values of a field of debian/control."""
    for line in (PACKAGING / "control").read_text().splitlines():
        if line.startswith(f"{name}: "):
            yield line.removeprefix(f"{name}: ")


def _packaged(source: Path) -> Path:
    """Run Debian's tools, and return the package."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": source_epoch(), "LC_ALL": "C", "TZ": "UTC"}
    _run("dpkg-buildpackage", "--build=binary", "--unsigned-source", "--unsigned-changes",
         cwd=source, environment=environment)  # fmt: skip
    [built] = source.parent.glob("*.deb")
    return built


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _say(step: str) -> None:
    print(step, file=sys.stderr)


def _run(
    *command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    subprocess.run(command, check=True, cwd=cwd, env=environment, stdout=sys.stderr)  # noqa: S603  ours


def main(arguments: list[str]) -> int:
    """Write the package, and print its place."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_deb")
    parser.add_argument("directory", nargs="?", default="dist", type=Path)
    parser.add_argument("--wheels", type=lambda text: Path(text).absolute())
    chosen = parser.parse_args(arguments)
    try:
        print(build_deb(chosen.directory.absolute(), chosen.wheels))
    except WrongPythonError as fault:
        print(f"build_deb: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
