"""Calling the `restante` command as a person would, and keeping a server running meanwhile."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from restante.cli.progress import waiting

RESTANTE = Path(sys.executable).with_name("restante")
START_SECONDS = 60.0  # a busy or emulated machine takes more than ten


def restante(config: Path, *words: str, typed: str = "") -> str:
    """Run a command and return its output.

    Raises CalledProcessError; the error message of the command is then on standard error.
    """
    named = takewhile(lambda word: not word.startswith("-"), words[:2])
    with waiting(" ".join(["restante", *named])):
        done = subprocess.run(
            [RESTANTE, "--config", config, *words],
            check=False,
            input=typed,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return done.stdout


@contextmanager
def serving(config: Path, log: Path) -> Iterator[None]:
    """Run the server during a block; `log` gets its log. RuntimeError if it does not start."""
    with log.open("w") as lines:
        server = subprocess.Popen([RESTANTE, "--config", config, "serve"], stderr=lines)
    try:
        with waiting("the server starts"):
            _wait_until_ready(server, log)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "server-ready" not in log.read_text():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                f"the server did not start; its log ends with: {log.read_text()[-500:]}"
            )
        time.sleep(0.05)
