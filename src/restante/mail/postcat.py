"""The output of Postfix's `postcat` for a queue file: envelope, content, extracted header.

    *** ENVELOPE RECORDS deferred/C/C82E725A4E1 ***
    message_arrival_time: Sun Nov 22 00:49:07 2026      in the time zone of that machine
    named_attribute: envelope_id=QQ314                  ENVID, decoded; RET is in ret_flags
    sender: someone@sender.example                      empty: the null reverse-path
    done_recipient: x@alpha.example                     delivered, or bounced, already
    named_attribute: notify_flags=10                    NOTIFY of the recipient that follows
    named_attribute: dsn_orig_rcpt=rfc822;y@a.example   its ORCPT, decoded; Postfix's own if none
    recipient: y@alpha.example
    *** MESSAGE CONTENTS deferred/C/C82E725A4E1 ***
    Received: …
    *** HEADER EXTRACTED deferred/C/C82E725A4E1 ***
    named_attribute: encoding=8bit
    *** MESSAGE FILE END deferred/C/C82E725A4E1 ***

One output may have several messages. Marks within content are no marks unless they name the
message's own queue file. An output may be a mapped file: content is told by where it stands, and
never read here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret, embedded, xtext
from restante.mail.mapped_search import LetGo, find_octets, keep_pages, search_pattern

if TYPE_CHECKING:
    from mmap import mmap

_SMTPUTF8_REQUESTED: Final = 1  # bit of the last number of message_size
_SMTPUTF8_PLACE: Final = 6
_RETS: Final = {1: Ret.FULL, 2: Ret.HDRS}  # by ret_flags
_NEVER, _NOTIFIES = (
    1,
    ((2, Notify.SUCCESS), (4, Notify.FAILURE), (8, Notify.DELAY)),
)  # bits of notify_flags
_ENVELOPE: Final = re.compile(rb"^\*\*\* ENVELOPE RECORDS (?P<name>[^\n]+) \*\*\*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class QueueFile:
    """One message of Postfix's queue; content has LF line ends, as printed."""

    name: str
    sender: str
    recipients: tuple[str, ...]  # those that still wait for it
    arrived_at: datetime | None  # without a zone: the printing machine's
    needs_smtputf8: bool
    dsn: DsnRequest | None
    start: int  # of the content, in the output
    end: int


def is_postcat(data: bytes) -> bool:
    """Tell whether this is what postcat prints."""
    return _ENVELOPE.match(data) is not None


def read_postcat(data: "bytes | mmap", let_go: LetGo = keep_pages) -> Iterator[QueueFile]:
    """Yield the messages in an output. Raises ValueError where it is not whole."""
    place = 0
    while found := search_pattern(_ENVELOPE, data, place, let_go):
        name = found["name"]
        contents, envelope_end = _mark(data, b"MESSAGE CONTENTS", name, found.end(), let_go)
        extracted, content_end = _mark(data, b"HEADER EXTRACTED", name, contents, let_go)
        place, records_end = _mark(data, b"MESSAGE FILE END", name, extracted, let_go)
        records = _Records()
        for line in (data[found.end() : envelope_end] + data[extracted:records_end]).split(b"\n"):
            records.take(line.decode("utf-8", "surrogateescape"))
        yield records.queue_file(name.decode("utf-8", "replace"), contents, content_end)
    if place == 0:
        raise ValueError("it has no envelope records: print the whole file, without -b, -h or -e")


def _mark(
    data: "bytes | mmap", title: bytes, name: bytes, place: int, let_go: LetGo
) -> tuple[int, int]:
    """Return where what follows a mark begins, and where what precedes it ends."""
    mark = b"*** %b %b ***\n" % (title, name)
    found = (
        place
        if data[place : place + len(mark)] == mark
        else find_octets(data, b"\n" + mark, place, let_go) + 1
    )
    if found == 0:
        raise ValueError(
            f"{title.decode().lower()} of {name.decode('utf-8', 'replace')} is not there"
        )
    return found + len(mark), found


class _Records:
    """The records, read line by line."""

    def __init__(self) -> None:
        self._sender: str | None = None
        self._recipients: dict[str, RecipientRequest] = {}
        self._arrived_at: datetime | None = None
        self._needs_smtputf8 = False
        self._ret: Ret | None = None
        self._envelope_id = ""
        self._notify: Notify | None = None  # of the next recipient
        self._original = ""

    def take(self, line: str) -> None:
        """Read one. Raises ValueError."""
        key, _, value = line.partition(": ")
        match key.removesuffix(":"):
            case "sender":
                self._sender = value
            case "recipient":
                self._take_recipient(value)
            case "done_recipient":
                self._notify, self._original = None, ""
            case "named_attribute":
                self._take_attribute(*value.partition("=")[::2])
            case "message_arrival_time":
                form = "%a %b %d %H:%M:%S %Y"
                self._arrived_at = datetime.strptime(value, form)  # noqa: DTZ007  it names no zone
            case "message_size":
                self._needs_smtputf8 = _requests_smtputf8(value)

    def _take_attribute(self, name: str, value: str) -> None:
        match name:
            case "ret_flags":
                self._ret = _RETS.get(int(value))
            case "envelope_id":
                self._envelope_id = _xtext(value)
            case "notify_flags":
                self._notify = _notify(int(value))
            case "dsn_orig_rcpt":
                kind, _, address = value.partition(";")
                self._original = f"{kind};{_xtext(address)}"

    def _take_recipient(self, path: str) -> None:
        """Keep one with its request; nobody asked for an ORCPT that only repeats the path."""
        original = "" if self._original == f"rfc822;{_xtext(path)}" else self._original
        self._recipients.setdefault(path, RecipientRequest(self._notify, original))
        self._notify, self._original = None, ""

    def queue_file(self, name: str, start: int, end: int) -> QueueFile:
        """Return the message. Raises ValueError where there is none."""
        if self._sender is None:
            raise ValueError(f"{name} has no sender record")
        paths = tuple(self._recipients)
        return QueueFile(
            name,
            self._sender,
            paths,
            self._arrived_at,
            self._needs_smtputf8,
            self._dsn(),
            start,
            end,
        )

    def _dsn(self) -> DsnRequest | None:
        nothing = RecipientRequest()
        asked = {path: request for path, request in self._recipients.items() if request != nothing}
        return (
            DsnRequest(self._ret, self._envelope_id, asked)
            if asked or self._ret or self._envelope_id
            else None
        )


def _notify(flags: int) -> Notify | None:
    """Read NOTIFY; no flag: it was not given."""
    found = Notify.NEVER
    for bit, one in _NOTIFIES:
        if flags & bit:
            found |= one
    return found if found or flags & _NEVER else None


def _xtext(text: str) -> str:
    """Spell text that Postfix decoded as xtext; characters outside ASCII are embedded."""
    return embedded("".join(xtext(letter) if letter.isascii() else letter for letter in text))


def _requests_smtputf8(numbers: str) -> bool:
    words = numbers.split()
    return len(words) >= _SMTPUTF8_PLACE and bool(
        int(words[_SMTPUTF8_PLACE - 1]) & _SMTPUTF8_REQUESTED
    )
