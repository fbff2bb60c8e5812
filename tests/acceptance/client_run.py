"""Run restante-client as a customer does: a program of its own, with files for its secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import restante_client
from tests.acceptance.installation import Ended
from tests.acceptance.peers.programs import PLACES
from tests.acceptance.peers.server import Login, Server

SOURCE = Path(restante_client.__file__).parents[1]


def run_client(*words: str, timeout: float = 150.0) -> Ended:
    """Run it to its end, whatever its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "restante_client", *words],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        env={"PATH": PLACES, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(SOURCE)},
    )


def login_words(directory: Path, server: Server, login: Login) -> list[str]:
    """Return the options for a login at a server."""
    password = secret_file(directory, f"password-of-{login.user}", login.password)
    how = ["--tls", server.tls.value, "--ca", str(server.authority)]
    return ["--login", login.user, "--password-file", str(password), *how]


def secret_file(directory: Path, name: str, secret: str) -> Path:
    """Write a secret to a file that only its owner can read."""
    path = directory / name
    path.touch(mode=0o600)
    os.truncate(path, 0)
    path.write_text(f"{secret}\n")
    return path
