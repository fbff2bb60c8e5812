"""The senders: hosts out on the Internet that hand Restante mail for a hosted domain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.acceptance.peers.programs import Ended, run
from tests.acceptance.peers.server import Login, Server, Tls

HELO_NAME: Final = "sender.example"


def swaks_sends(
    server: Server, *options: str, reverse_path: str, forward_paths: Sequence[str], content: bytes
) -> Ended:
    """Send one message with swaks, byte for byte. `content` is a message with CRLF line ends.

    Exit codes: 0 accepted, 2 no connection, 21 no 220, 22 EHLO, 23 MAIL. 24: no recipient accepted
    (25: not all), 26 DATA or content refused, 28 AUTH, 29 STARTTLS. The output is the dialogue. An
    empty reverse-path is "".
    """
    envelope = ["--from", reverse_path or "<>", "--to", ",".join(forward_paths)]
    with TemporaryDirectory() as directory:
        file = Path(directory) / "content"
        file.write_bytes(_dot_stuffed(content))
        data = [
            "--no-data-fixup",
            "--data",
            f"@{file}",
        ]  # fixed up, %-words would be replaced and lines added
        return run("swaks", *_swaks_connects(server), *envelope, *data, *options)


def _swaks_connects(server: Server) -> list[str]:
    """Return swaks' options for `server`. It checks who signed the certificate, never the host."""
    how = {Tls.NONE: [], Tls.STARTTLS: ["--tls"], Tls.IMPLICIT: ["--tlsc"]}[server.tls]
    trust = ["--tls-verify", "--tls-ca-path", str(server.authority)] if server.authority else []
    return ["--server", server.host, "--port", str(server.port), "--helo", HELO_NAME, *how, *trust]


def swaks_authenticates(server: Server, login: Login, *, mechanism: str = "PLAIN") -> Ended:
    """Authenticate with swaks by `mechanism` (PLAIN, LOGIN, CRAM-MD5) and quit.

    swaks has no ETRN and cannot send a custom command, so it cannot ask. Exit codes: 0
    authenticated, 28 refused or not offered, 29 no TLS.
    """
    who = ["--auth", mechanism, "--auth-user", login.user, "--auth-password", login.password]
    return run("swaks", *_swaks_connects(server), *who, "--quit-after", "AUTH")


def _dot_stuffed(content: bytes) -> bytes:
    """Return the content as on the wire after DATA, with the end of data (RFC 5321 §4.5.2)."""
    return re.sub(rb"^\.", b"..", content, flags=re.MULTILINE) + b"."


def smtp_source_sends(
    server: Server,
    *options: str,
    reverse_path: str,
    forward_path: str,
    count: int = 1,
    sessions: int = 1,
    size: int | None = None,
    content: bytes | None = None,
    keeps_connections: bool = False,
) -> Ended:
    """Send `count` messages with Postfix's smtp-source, over `sessions` connections at a time.

    Each message has its own connection unless `keeps_connections`. It has `size` octets of body
    below smtp-source's header, or `content` and one more empty line. smtp-source says HELO, never
    pipelines and has no TLS. Exit codes: 0 all accepted; 1 at the first refused command, with the
    reply in the output.
    """
    assert server.tls is Tls.NONE, "smtp-source knows no TLS"
    envelope = ["-M", HELO_NAME, "-f", reverse_path, "-t", forward_path]
    load = ["-m", str(count), "-s", str(sessions), *(["-d"] if keeps_connections else [])]
    body = ["-l", str(size)] if size is not None else []
    with TemporaryDirectory() as directory:
        file = ["-F", _lines_file(Path(directory), content)] if content is not None else []
        return run(
            "smtp-source", *envelope, *load, *body, *file, *options, f"{server.host}:{server.port}"
        )


def _lines_file(directory: Path, content: bytes) -> str:
    file = directory / "content"
    file.write_bytes(
        content.replace(b"\r\n", b"\n")
    )  # smtp-source ends the lines with CRLF, and stuffs the dots
    return str(file)
