"""The envelope as fields above a message, where a mailbox has no other place (RFC 5321 §4.4).

Written: `Return-Path`, then an `X-Envelope-To` for each forward-path. Read: also `X-Original-To`
and `Delivered-To`, which mail servers write at final delivery. Fields are read only from the top of
the header, unbroken, and are removed. The message must not be sent on with them: a mail server
takes its own Delivered-To for a loop.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_FIELD: Final = re.compile(
    rb"(?P<name>Return-Path|X-Envelope-To|X-Original-To|Delivered-To):"
    rb"[ \t]*(?P<path>[^\r\n]*?)[ \t]*\r\n(?![ \t])",
    re.IGNORECASE,
)
_BEST_FIRST: Final = ("x-envelope-to", "x-original-to", "delivered-to")


class FoundEnvelope(NamedTuple):
    """The envelope found above a message; None or empty where it was not given."""

    reverse_path: str | None
    forward_paths: tuple[str, ...]
    content: bytes  # without it


def envelope_fields(reverse_path: str, forward_paths: Iterable[str]) -> bytes:
    """Return the fields, with CRLF line ends."""
    lines = [
        f"Return-Path: <{reverse_path}>",
        *(f"X-Envelope-To: <{path}>" for path in forward_paths),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def take_envelope_fields(content: bytes) -> FoundEnvelope:
    """Read the fields, and return the content without them; it has CRLF line ends."""
    reverse_path: str | None = None
    paths: dict[str, list[str]] = {name: [] for name in _BEST_FIRST}
    place = 0
    while field := _FIELD.match(content, place):
        name, path = field["name"].decode().lower(), _path(field["path"])
        if name == "return-path":
            if reverse_path is not None:
                break  # a second one was there before
            reverse_path = path
        else:
            paths[name].append(path)
        place = field.end()
    forward_paths = next((found for found in paths.values() if found), [])
    return FoundEnvelope(reverse_path, tuple(dict.fromkeys(forward_paths)), content[place:])


def _path(text: bytes) -> str:
    return text.decode("utf-8", "replace").removeprefix("<").removesuffix(">")
