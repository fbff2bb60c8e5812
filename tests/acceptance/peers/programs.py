"""The programs that `ci/install-peers` installs: finding them, and running one to its end."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import pytest

from restante.config.privileges import UserUnusable, check_program_is_reachable

Ended = subprocess.CompletedProcess[
    str
]  # a program that came to its end: returncode, and stdout with stderr in it

# An ordinary account's PATH has no sbin, where Debian keeps Postfix.
PLACES: Final = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def missing(reason: str) -> NoReturn:
    """Skip the running test for `reason`, or fail it where the peers are required."""
    if os.environ.get("RESTANTE_REQUIRE_PEERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(program: str) -> str:
    """Return the path of `program`; without it the test cannot run."""
    return shutil.which(program, path=PLACES) or missing(
        f"{program} is not installed: run ci/install-peers"
    )


def require_root() -> None:
    """Demand root, as which mail servers start in order to drop to their own users."""
    if os.geteuid() != 0:
        missing("mail servers are started by root: run the acceptance tests as root")


def require_plain_user(user: str) -> None:
    """Demand root, and an installation that `user` may enter after the server became that user."""
    require_root()
    try:
        check_program_is_reachable(user)
    except UserUnusable as fault:
        missing(f"{fault}; or run make PYTHON=/usr/bin/python3 install")


def peers_directory() -> Path:
    """Return where `ci/install-peers` keeps what is no package of the machine."""
    return Path(os.environ.get("RESTANTE_PEERS_DIR", "/var/lib/restante-peers"))


def run(
    program: str, *arguments: str | Path, timeout: float = 150.0, home_inside: str = ""
) -> Ended:
    """Run `program` to its end, whatever its exit code.

    It gets none of our environment and an empty home: no .swaksrc, .curlrc or .msmtprc counts.
    `home_inside` is its home in another root directory.
    """
    command = [require(program), *map(str, arguments)]
    with TemporaryDirectory() as home:
        return subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env={"PATH": PLACES, "HOME": home_inside or home, "LC_ALL": "C"},
        )
