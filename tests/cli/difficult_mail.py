"""Mail that is hard to export, and the look that tests of export and import take at it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cli.conftest import Command

DIFFICULT = [
    (
        b"Received: x\r\n"
        b"Subject: quoting\r\n"
        b"\r\n"
        b"From here\r\n"
        b">From there\r\n"
        b"\r\n"
        b"From after an empty line\r\n"
        b".\r\n"
        b"\r\n"
        b"\r\n"
    ),
    b"Received: x\r\nSubject: octets\r\n\r\n" + bytes(range(128, 256)) + b"\r\n",
    b"Received: x\r\nSubject: large\r\n\r\n" + b"From a large message\r\n" * 20_000,
    b"Received: x\r\nReturn-Path: <its own>\r\nDelivered-To: x\r\n\r\n",
    b"no header\r\n",
]


def hold_difficult_mail(command: Command, tmp_path: Path) -> list[dict[str, Any]]:
    """Hold it in a store without a server; return the result of `queue list`."""
    source = tmp_path / "source"
    source.mkdir()
    for number, content in enumerate(DIFFICULT):
        (source / f"{number}.eml").write_bytes(content)
    to = ["--to", "x@alpha.example", "--to", "y@Alpha.example"]
    assert command("queue", "import", source, *to, "--reverse-path", "a@sender.example").code == 0
    (tmp_path / "null.eml").write_bytes(b"Subject: a report\r\n\r\n")
    assert command("queue", "import", tmp_path / "null.eml", *to, "--reverse-path", "<>").code == 0
    return listed(command)


def listed(command: Command) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(command("queue", "list", "--json").out)
    return messages


def contents(command: Command, directory: Path) -> dict[str, bytes]:
    """The held mail by name, exported unchanged."""
    assert command("queue", "export", directory).code == 0
    return {file.stem: file.read_bytes() for file in directory.glob("*.eml")}


def unnamed(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in message.items() if key != "name"} for message in messages]
