"""Answers of the API into the client kit: `ask --https`, with and without --wait and --json.

The first line of the input is the answer to the request. The others are those about the release.

The rule: an exit code or ClientFailure, nothing else. All output can be encoded, and each text for
the user is one line. The token is in none of it, even if the answer has it.
"""

import io
import sys
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, Final
from unittest.mock import patch

from restante_client import https_release
from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.client_main import _ask_by_https
from restante_client.client_output import ClientOutput
from restante_client.https_release import ApiServer
from tests.fuzz.choices import read_input

_STATUS: Final = (200, 201, 400, 401, 404, 429, 500, 503)


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, _, stream = read_input(data, 2)
    asked = _Api(stream.split(b"\n"), settings.one_of(_STATUS))
    given = Namespace(domains=["a.example"], json=settings.flag(), wait=True, limit=60)
    out, err = io.BytesIO(), io.BytesIO()
    at_once = patch.object(https_release.follow_release, "__defaults__", (_pass,))
    output = ClientOutput(is_json=given.json)
    output.secrets.add(asked.token)
    failure = ""
    with redirect_stdout(_Terminal(out)), redirect_stderr(_Terminal(err)), at_once:
        try:
            assert _ask_by_https(given, asked, output) in list(ClientExit)
        except ClientFailure as failed:
            failure = failed.text
            output.fail(failed)
        except _Enough:
            pass
        sys.stdout.flush()
        said, warned = out.getvalue().decode(), err.getvalue().decode()
    assert failure.isprintable()
    assert asked.token not in said
    assert asked.token not in warned
    if not given.json:
        assert all(line.isprintable() for line in said.split("\n"))


class _Enough(Exception):  # noqa: N818
    """The release never ends."""


def _pass(_: float) -> None:
    """Sleep for no time."""


class _Terminal(io.TextIOWrapper):
    def __init__(self, octets: io.BytesIO) -> None:
        super().__init__(octets, encoding="utf-8")

    def isatty(self) -> bool:
        return True


class _Api(ApiServer):
    """Answers from lines."""

    def __init__(self, lines: list[bytes], status: int) -> None:
        super().__init__("p.example", "the-token")
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "status", status)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        lines: list[bytes] = self.lines  # type: ignore[attr-defined]
        status: int = self.status  # type: ignore[attr-defined]
        assert path.isprintable()
        assert " " not in path
        assert (method == "POST") == (body is not None)
        if not lines:
            raise _Enough
        return status, self._decoded(lines.pop(0), status)
