"""What Postfix's `postcat` prints of a queue file: envelope records, content, and records extracted from the header.

    *** ENVELOPE RECORDS deferred/C/C82E725A4E1 ***
    message_arrival_time: Sun Nov 22 00:49:07 2026      in the time zone of the machine that printed it
    sender: someone@sender.example                      empty: the null reverse-path
    done_recipient: x@alpha.example                     delivered, or bounced, already
    recipient: y@alpha.example
    *** MESSAGE CONTENTS deferred/C/C82E725A4E1 ***
    Received: …
    *** HEADER EXTRACTED deferred/C/C82E725A4E1 ***
    named_attribute: encoding=8bit
    *** MESSAGE FILE END deferred/C/C82E725A4E1 ***

One output may have several messages. Marks within content are no marks unless they name the message's own queue file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_SMTPUTF8_REQUESTED: Final = 1  # bit of the last number of message_size
_SMTPUTF8_PLACE: Final = 6
_ENVELOPE: Final = re.compile(rb"^\*\*\* ENVELOPE RECORDS (?P<name>[^\n]+) \*\*\*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class QueueFile:
    """One message of Postfix's queue; content has LF line ends, as printed."""

    name: str
    sender: str
    recipients: tuple[str, ...]  # who still waits for it
    arrived_at: datetime | None  # without a zone: the printing machine's
    needs_smtputf8: bool
    content: bytes


def is_postcat(data: bytes) -> bool:
    """Tell whether this is what postcat prints."""
    return _ENVELOPE.match(data) is not None


def read_postcat(data: bytes) -> Iterator[QueueFile]:
    """Yield the messages in an output. Raises ValueError where it is not whole."""
    place = 0
    while found := _ENVELOPE.search(data, place):
        name = found["name"]
        contents, envelope_end = _mark(data, b"MESSAGE CONTENTS", name, found.end())
        extracted, content_end = _mark(data, b"HEADER EXTRACTED", name, contents)
        place, records_end = _mark(data, b"MESSAGE FILE END", name, extracted)
        records = data[found.end() : envelope_end] + data[extracted:records_end]
        yield _queue_file(name.decode("utf-8", "replace"), records, data[contents:content_end])
    if place == 0:
        raise ValueError("it has no envelope records: print the whole file, without -b, -h or -e")


def _mark(data: bytes, title: bytes, name: bytes, place: int) -> tuple[int, int]:
    """Return where what follows a mark begins, and where what precedes it ends."""
    mark = b"*** %b %b ***\n" % (title, name)
    found = place if data.startswith(mark, place) else data.find(b"\n" + mark, place) + 1
    if found == 0:
        raise ValueError(f"{title.decode().lower()} of {name.decode('utf-8', 'replace')} is not there")
    return found + len(mark), found


def _queue_file(name: str, records: bytes, content: bytes) -> QueueFile:
    sender: str | None = None
    recipients: list[str] = []
    arrived_at = None
    needs_smtputf8 = False
    for line in records.decode("utf-8", "surrogateescape").split("\n"):
        key, _, value = line.partition(": ")
        match key.removesuffix(":"):
            case "sender":
                sender = value
            case "recipient":
                recipients.append(value)
            case "message_arrival_time":
                arrived_at = datetime.strptime(value, "%a %b %d %H:%M:%S %Y")  # noqa: DTZ007  it names no zone
            case "message_size":
                needs_smtputf8 = _requests_smtputf8(value)
    if sender is None:
        raise ValueError(f"{name} has no sender record")
    return QueueFile(name, sender, tuple(dict.fromkeys(recipients)), arrived_at, needs_smtputf8, content)


def _requests_smtputf8(numbers: str) -> bool:
    words = numbers.split()
    return len(words) >= _SMTPUTF8_PLACE and bool(int(words[_SMTPUTF8_PLACE - 1]) & _SMTPUTF8_REQUESTED)
