"""A clean tree of Debian, in which nothing is installed but Debian's minimal variant.

`ci/install-packaging` makes it, and trees of newer releases, which have Python too. Each test works
on a copy of its own, an overlay. Scripts run there by chroot, in process and mount namespaces of
their own, and all processes end with them. The network is that of the test: none but `lo`. So apt
has only the archives that were fetched before, and pip only the wheels.
"""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.acceptance.peers.programs import missing, peers_directory, require_root

PLACE: Final = peers_directory() / "packaging"
DEBIAN: Final = PLACE / "debian"
WHEELS: Final = PLACE / "wheels"
SECONDS: Final = 1800
VARIABLES: Final = {
    "HOME": "/root",
    "USER": "root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
}
# There is no terminal at which apt could ask, and no network.
APT: Final = 'APT::Get::Assume-Yes "true";\nAPT::Sandbox::User "root";\nDpkg::Use-Pty "0";\n'
PIP: Final = "[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\n"

Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class CleanTree:
    """A tree at `root`. `way_in` is the prefix of a command that runs in it."""

    root: Path
    way_in: Sequence[str]
    variables: dict[str, str] = field(default_factory=lambda: dict(VARIABLES))

    def run(self, script: str, *, cwd: str = "/root") -> Ended:
        """Run a script of bash, however it ends. Both of its streams are in `stdout`."""
        inside = [f"{name}={value}" for name, value in self.variables.items()]
        words = ["/usr/bin/env", "-i", *inside, "/bin/bash", "-ec", f"cd {cwd}\n{script}"]
        return subprocess.run(
            [*self.way_in, *words],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
        )

    def do(self, script: str, *, cwd: str = "/root") -> str:
        """Run a script that must succeed, and return its output."""
        ended = self.run(script, cwd=cwd)
        assert ended.returncode == 0, f"{script}\nended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def with_path(self, directory: str) -> CleanTree:
        """Return the tree with one more directory of programs."""
        path = f"{directory}:{self.variables['PATH']}"
        return replace(self, variables={**self.variables, "PATH": path})

    def path(self, inside: str) -> Path:
        """Return the place of a file as seen from outside."""
        return self.root / inside.removeprefix("/")


@contextmanager
def clean_tree(
    directory: Path, *layers: Path, base: Path = DEBIAN, wheels: Path = WHEELS
) -> Iterator[CleanTree]:
    """Make a tree below an empty directory. `layers` are those of earlier trees, newest first."""
    require_root()
    if not (base / ".recipe").exists():
        missing(f"there is no clean tree of Debian in {base}: run ci/install-packaging")
    with kept(), _mounted(directory, (*layers, base)) as root:
        _furnish(root)
        bind(wheels, root / "wheels")
        way_in = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        yield CleanTree(root, [*way_in, f"--mount-proc={root}/proc", "chroot", str(root)])


@contextmanager
def kept() -> Iterator[None]:
    """Keep `ci/install-packaging` from replacing tree and wheels meanwhile."""
    with (PLACE / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def _mounted(directory: Path, layers: Sequence[Path]) -> Iterator[Path]:
    root = directory / "root"
    for name in ("root", "upper", "work"):
        (directory / name).mkdir(parents=True)
    lower = ":".join(map(str, layers))
    options = f"lowerdir={lower},upperdir={layer(directory)},workdir={directory}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", root], check=True)
    try:
        yield root
    finally:
        subprocess.run(["umount", "--recursive", root], check=True)


def layer(directory: Path) -> Path:
    """Return the changes of the tree that was made below a directory."""
    return directory / "upper"


def _furnish(root: Path) -> None:
    (root / "etc/apt/apt.conf.d/99test").write_text(APT)
    (root / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
    (root / "etc/pip.conf").write_text(PIP)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")


def bind(directory: Path, place: Path) -> None:
    """Show a directory of this machine in a tree, until the tree ends."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", directory, place], check=True)
