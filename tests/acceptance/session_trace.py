"""`restante trace-session` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.acceptance.installation import RESTANTE, Installation


@contextmanager
def tracing(restante: Installation, *options: str) -> Iterator[IO[str]]:
    """Trace sessions from loopback, and end it as Ctrl-C does."""
    words: list[str | Path] = ["--config", restante.config, "trace-session"]
    # A run in the background of a shell ignores SIGINT, and so would the command.
    command = ["env", "--default-signal=INT", RESTANTE, *words, "--source", "127.0.0.1"]
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.defpath},
    ) as process:
        assert process.stdout is not None
        assert "127.0.0.1/32" in process.stdout.readline()
        yield process.stdout
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=90) == 0
