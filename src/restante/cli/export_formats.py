"""Write exported mail as single files, a Maildir or an mbox, and envelopes in side files.

A writer gets one message after another. A file gets its final name only when it is complete.
Existing files are never overwritten. Only the owner may read the files: they are other people's
mail.
"""

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from restante.cli.failures import Exit, Failure
from restante.mail.envelope_fields import envelope_fields
from restante.mail.mbox import MboxQuoter, separator
from restante.phrases import EXISTS

ENVELOPES: Final = "envelopes.jsonl"  # inside a Maildir; for an mbox, appended to its own name
_FILE_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700

ExportFacts = Mapping[str, Any]


class ExportWriter(Protocol):
    """A destination of exported mail. Every method raises OSError."""

    def begin(self, facts: ExportFacts) -> None:
        """Begin a message with these facts."""

    def write(self, block: bytes) -> None:
        """Append to the content of the message."""

    def end(self) -> None:
        """Keep the message: it is complete."""

    def drop(self) -> None:
        """Discard the message: it is incomplete."""

    def close(self, *, is_complete: bool) -> None:
        """End the export. An incomplete one does not get its final name."""


class EmlWriter:
    """NAME.eml, octet for octet as it was held, and NAME.json with the envelope."""

    def __init__(self, directory: Path) -> None:
        _make(directory)
        self._directory = directory
        self._part = directory / ".part"
        self._facts: ExportFacts  # these two from `begin` on
        self._file: BinaryIO

    def begin(self, facts: ExportFacts) -> None:
        """Begin a file under a name that no program reads as a message."""
        self._facts = facts
        self._part = self._directory / f".{facts['name']}.part"
        self._file = _create(self._part)

    def write(self, block: bytes) -> None:
        """Write it as it is."""
        self._file.write(block)

    def end(self) -> None:
        """Write the envelope, and give the file its name."""
        self._file.close()
        with _create(self._directory / f"{self._facts['name']}.json") as side:
            side.write(json.dumps(self._facts, indent=2).encode() + b"\n")
        self._part.rename(self._directory / f"{self._facts['name']}.eml")

    def drop(self) -> None:
        """Remove it."""
        self._file.close()
        self._part.unlink()

    def close(self, *, is_complete: bool) -> None:
        """Take away what was not ended."""
        if not is_complete and self._part.exists():
            self.drop()


class MaildirWriter:
    """A Maildir: LF line ends, the envelope in fields on top, all of it in envelopes.jsonl."""

    def __init__(self, directory: Path) -> None:
        _make(directory)
        for name in ("tmp", "new", "cur"):
            (directory / name).mkdir(_DIRECTORY_MODE)
        self._directory = directory
        self._envelopes = _create(directory / ENVELOPES)
        self._part = directory / "tmp"
        self._host = socket.gethostname().replace("/", "_").replace(":", "_")
        self._carried = b""  # a CR whose LF can follow
        self._facts: ExportFacts  # these three from `begin` on
        self._name: str
        self._file: BinaryIO

    def begin(self, facts: ExportFacts) -> None:
        """Begin a file in tmp; its name sorts by when the message was received."""
        self._facts = facts
        self._name = f"{int(_seconds(facts))}.R{facts['name']}.{self._host}"
        self._part = self._directory / "tmp" / self._name
        self._file = _create(self._part)
        self._carried = b""
        self.write(_fields(facts))

    def write(self, block: bytes) -> None:
        """Write it with LF line ends."""
        block = self._carried + block
        self._carried = b"\r" if block.endswith(b"\r") else b""
        self._file.write(block.removesuffix(b"\r").replace(b"\r\n", b"\n"))

    def end(self) -> None:
        """Move it to new."""
        self._file.close()
        self._envelopes.write(json.dumps({"file": self._name, **self._facts}).encode() + b"\n")
        self._part.rename(self._directory / "new" / self._name)

    def drop(self) -> None:
        """Remove it."""
        self._file.close()
        self._part.unlink()

    def close(self, *, is_complete: bool) -> None:
        """Close the list of envelopes, and take away what was not ended."""
        self._envelopes.close()
        if not is_complete and self._part.is_file():
            self.drop()


class MboxWriter:
    """One file in mboxrd, with the envelope in fields on top; all of it in FILE.envelopes.jsonl."""

    def __init__(self, file: Path) -> None:
        self._final = (file, Path(f"{file}.{ENVELOPES}"))
        for path in self._final:
            if path.exists():
                raise FileExistsError(f"{path}: {EXISTS}")
        self._parts = tuple(Path(f"{path}.part") for path in self._final)
        self._file, self._envelopes = (_create(path) for path in self._parts)
        self._place = 0
        self._facts: ExportFacts  # these two from `begin` on
        self._quoter: MboxQuoter

    def begin(self, facts: ExportFacts) -> None:
        """Write the separator and the fields."""
        self._facts = facts
        self._quoter = MboxQuoter()
        self._file.write(separator(facts["reverse_path"], _seconds(facts)))
        self.write(_fields(facts))

    def write(self, block: bytes) -> None:
        """Write it quoted, with LF line ends."""
        self._file.write(self._quoter.quote(block))

    def end(self) -> None:
        """End the message."""
        self._file.write(self._quoter.finish())
        self._envelopes.write(json.dumps(self._facts).encode() + b"\n")
        self._place = self._file.tell()

    def drop(self) -> None:
        """Take what was written of it away."""
        self._file.seek(self._place)
        self._file.truncate()

    def close(self, *, is_complete: bool) -> None:
        """Give the files their names, or take them away."""
        self._file.close()
        self._envelopes.close()
        for part, path in zip(self._parts, self._final, strict=True):
            if is_complete:
                part.rename(path)
            else:
                part.unlink()


WRITERS: Final[Mapping[str, type[EmlWriter | MaildirWriter | MboxWriter]]] = {
    "eml": EmlWriter,
    "maildir": MaildirWriter,
    "mbox": MboxWriter,
}


def open_export(style: str, place: Path) -> ExportWriter:
    """Open the place to write to. Raises Failure where something is there, or it cannot be made."""
    try:
        return WRITERS[style](place)
    except FileExistsError as error:
        text = str(error.args[0]) if len(error.args) == 1 else f"{error.filename}: {EXISTS}"
        raise Failure(
            Exit.CANNOT_CREATE,
            f"queue export: {text}; choose another place: nothing is overwritten",
        ) from None
    except OSError as error:
        raise Failure(
            Exit.CANNOT_CREATE, f"queue export: {place}: {error.strerror}; name another place"
        ) from None


def _make(directory: Path) -> None:
    with contextlib.suppress(FileExistsError):
        directory.mkdir(_DIRECTORY_MODE)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory}: is not empty")


def _create(path: Path) -> BufferedWriter:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    return os.fdopen(descriptor, "wb")


def _fields(facts: ExportFacts) -> bytes:
    return envelope_fields(
        facts["reverse_path"], [one["forward_path"] for one in facts["recipients"]]
    )


def _seconds(facts: ExportFacts) -> float:
    return datetime.fromisoformat(facts["received_at"]).timestamp()
