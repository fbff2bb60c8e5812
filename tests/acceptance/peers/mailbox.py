"""Reading what a primary has delivered, and getting back to the bytes that were sent."""

from __future__ import annotations

import re
from pathlib import Path


class Maildir:
    """The messages a mail server has delivered into a directory, one file each."""

    def __init__(self, path: Path) -> None:
        self._new = (
            path / "new"
        )  # a file is moved here whole; nobody reads this mail, so it never goes on to cur/

    def messages(self) -> list[bytes]:
        """Return the files as they are, oldest first."""
        return [
            file.read_bytes()
            for file in sorted(self._files(), key=lambda file: file.stat().st_mtime_ns)
        ]

    def count(self) -> int:
        """Return how many there are, without reading them."""
        return len(self._files())

    def _files(self) -> list[Path]:
        return list(self._new.iterdir()) if self._new.is_dir() else []


def content_below(raw: bytes, marker: bytes) -> bytes:
    r"""Return the content as it was sent, given that its first header field was named `marker`.

    A primary puts its fields (Return-Path, Delivered-To, Received …) above the header, as does each
    server before it. The text above `marker` is theirs, the rest is ours. Lines end with LF in a
    mailbox and with CRLF on the wire: each LF becomes CRLF again. This is exact if all lines of the
    content ended with CRLF and it had no field that a server removes on arrival. These are Bcc,
    Content-Length and Return-Path (Postfix); Return-path, Envelope-to and Delivery-date (Exim).
    """
    return raw[_start(raw, marker) :].replace(b"\n", b"\r\n")


def fields_above(raw: bytes, marker: bytes) -> list[bytes]:
    """Return the fields that servers have put above `marker`, topmost first, each on one line."""
    unfolded = re.sub(rb"\n(?=[ \t])", b"", raw[: _start(raw, marker)])
    return unfolded.splitlines()


def _start(raw: bytes, marker: bytes) -> int:
    found = re.search(rb"^" + re.escape(marker) + rb":", raw, re.MULTILINE | re.IGNORECASE)
    assert found, f"no field {marker!r} in {raw[:2000]!r}"
    return found.start()
