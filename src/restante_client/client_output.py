"""All output of a command passes here, so that no secret is printed."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

from restante_client.client_arguments import PROGRAM
from restante_client.client_failure import ClientFailure, shown
from restante_client.secret_filter import SecretFilter

_COLORS = {"fail": 31, "warn": 35, "unknown": 35, "pass": 32}  # ECMA-48; as of `restante`


def _shows_color(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user has not asked for plain text."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and os.name != "nt"


class ClientOutput:
    """Standard output and standard error, and the secrets that neither may show."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json
        self.secrets = SecretFilter()
        self._warned: set[str] = set()

    def say(self, text: str) -> None:
        """Print a line of the result."""
        self._write(sys.stdout, f"{text}\n")

    def say_verdict(self, line: str, verdict: str) -> None:
        """Print a line that begins with a verdict, which has its color on a terminal."""
        color = _COLORS.get(verdict)
        if color is None or not _shows_color(sys.stdout):
            self.say(line)
            return
        word, rest = line[: len(verdict)], line[len(verdict) :]
        self._put(sys.stdout, f"\x1b[{color}m{word}\x1b[0m{self.secrets.hide(rest)}\n")

    def say_json(self, value: dict[str, Any]) -> None:
        """Print the result as JSON. Secrets are looked for in its texts, so it stays JSON."""
        import json  # noqa: PLC0415  heavy

        self._put(sys.stdout, f"{json.dumps(self.secrets.hide_all(value), indent=2)}\n")

    def complain(self, text: str) -> None:
        """Print a line on standard error."""
        self._write(sys.stderr, f"{PROGRAM}: {shown(text)}\n")

    def warn_of(self, file: str) -> None:
        """Warn once of a file with a secret that all users can read; of none if it is empty."""
        if file and file not in self._warned:
            self._warned.add(file)
            self.complain(f"warning: {file}: all users of this machine can read it; chmod 600")

    def draw(self, text: str) -> None:
        """Write to the terminal of standard error, as it is but for secrets."""
        self._write(sys.stderr, text)

    def fail(self, failure: ClientFailure) -> None:
        """Print the end of a command that failed."""
        if self.is_json:
            self.say_json({"exit": int(failure.code), **failure.details, "error": failure.text})
        self.complain(failure.text)

    def _write(self, stream: TextIO, text: str) -> None:
        self._put(stream, self.secrets.hide(text))

    def _put(self, stream: TextIO, text: str) -> None:
        """Write a text that has no secret."""
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
