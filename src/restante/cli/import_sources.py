"""Find mail for import: files, directories of files, Maildirs, mboxes, output of postcat.

The envelope comes from the first of these sources:
1. the side file of an export
2. the records of postcat
3. the fields above the message (mail/envelope_fields.py)
4. the options of the command

Content stays in its file and is described as a part of that file (import_content.py).

Requests for reports are read from side files and postcat's records only. So is the permission to
send reports to the reverse-path. A delay report already sent is read from a side file only. Header
fields are never trusted for this, because the message's author writes them.
"""

import mmap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from restante.cli.export_formats import ENVELOPES
from restante.cli.import_content import ContentStretch
from restante.mail.dsn_request import DsnRequest
from restante.mail.foreign_json import read_foreign_json
from restante.mail.mbox import message_positions, reverse_path_in
from restante.mail.postcat import QueueFile, is_postcat, read_postcat

SourceFormat = Literal["eml", "maildir", "mbox", "postcat"]

_SIDE: Final = ".json"
_POSTCAT_HEAD: Final = 4096  # octets that suffice to recognize output of postcat


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """A message found. `reverse_path` is None and `forward_paths` empty if unknown."""

    place: str  # for people: a file, and the number of the message in it
    reverse_path: str | None
    forward_paths: tuple[str, ...]
    content: ContentStretch
    received_at: datetime | None = None
    needs_smtputf8: bool = False
    dsn: Mapping[str, Any] | None = None  # in the form of the API
    is_suspect: bool = False
    is_delay_told: bool = False
    message_id: str | None = None
    origin: Mapping[str, Any] | None = None  # in the form of the API


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file without a complete message."""

    place: str
    error: str


def source_messages(
    paths: Iterable[Path], style: SourceFormat | None
) -> Iterator[SourceMessage | UnreadableFile]:
    """Yield the messages, in the order of paths and names. Without a style, detect it."""
    for path in paths:
        try:
            yield from _messages_in(path, style)
        except OSError as error:
            yield UnreadableFile(str(path), error.strerror or str(error))


def _messages_in(
    path: Path, style: SourceFormat | None
) -> Iterator[SourceMessage | UnreadableFile]:
    if not path.is_dir():
        yield from _file_messages(path, style)
    elif style == "maildir" or (style is None and (path / "cur").is_dir()):
        yield from _maildir_messages(path)
    else:
        for file in sorted(path.iterdir()):
            if file.is_file() and not file.name.startswith(".") and file.suffix != _SIDE:
                yield from _file_messages(file, style)


def _file_messages(
    path: Path, style: SourceFormat | None
) -> Iterator[SourceMessage | UnreadableFile]:
    try:
        match style or _style(path):
            case "mbox":
                yield from _mbox_messages(path)
            case "postcat":
                yield from _postfix_messages(path)
            case _:
                yield _eml_message(path)
    except ValueError as error:
        yield UnreadableFile(str(path), str(error))


def _style(path: Path) -> SourceFormat:
    with path.open("rb") as file:
        head = file.read(_POSTCAT_HEAD)
    if is_postcat(head):
        return "postcat"
    return "mbox" if head.startswith(b"From ") else "eml"


def _eml_message(path: Path) -> SourceMessage:
    side = path.with_suffix(_SIDE)
    content = ContentStretch(path)
    return (
        _with_facts(str(path), content, _facts(side.read_bytes(), str(side)))
        if side.is_file()
        else _bare(content)
    )


def _maildir_messages(path: Path) -> Iterator[SourceMessage | UnreadableFile]:
    try:
        known = {facts.get("file"): facts for facts in _lines(path / ENVELOPES)}
    except ValueError as error:  # without their envelopes some mail may be taken for other mail
        yield UnreadableFile(str(path), str(error))
        return
    files = [
        file
        for name in ("cur", "new")
        for file in (path / name).iterdir()
        if not file.name.startswith(".")
    ]
    for file in sorted(files, key=lambda file: file.name):
        try:
            yield _copied(str(file), ContentStretch(file), known.get(file.name.partition(":")[0]))
        except OSError as error:
            yield UnreadableFile(str(file), error.strerror or str(error))
        except ValueError as error:
            yield UnreadableFile(str(file), str(error))


def _mbox_messages(path: Path) -> Iterator[SourceMessage | UnreadableFile]:
    known = list(_lines(Path(f"{path}.{ENVELOPES}")))
    if not path.stat().st_size:
        return
    with _mapped(path) as data:
        found = list(message_positions(data, partial(data.madvise, mmap.MADV_DONTNEED)))
    if not found:
        raise ValueError("is not an mbox: it does not begin with a line `From …`")
    facts: list[Mapping[str, Any] | None] = (
        [*known] if len(known) == len(found) else [None] * len(found)
    )
    for number, (place, one) in enumerate(zip(found, facts, strict=True), start=1):
        content = ContentStretch(path, place.start, place.end, is_quoted=True)
        message = _copied(f"{path}, message {number}", content, one)
        named = (
            reverse_path_in(place.separator)
            if message.reverse_path is None
            else message.reverse_path
        )
        yield replace(message, reverse_path=named)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _postfix_messages(path: Path) -> Iterator[SourceMessage]:
    with _mapped(path) as data:
        for one in read_postcat(data, partial(data.madvise, mmap.MADV_DONTNEED)):
            yield _postfix_message(path, one)


def _postfix_message(path: Path, one: QueueFile) -> SourceMessage:
    return SourceMessage(
        place=f"{path}, {one.name}",
        reverse_path=one.sender,
        forward_paths=one.recipients,
        content=ContentStretch(path, one.start, one.end),
        received_at=one.arrived_at.astimezone(UTC)
        if one.arrived_at
        else None,  # printed on this machine, so in its time zone
        needs_smtputf8=one.needs_smtputf8,
        dsn=_dsn(one.dsn),
    )


def _dsn(request: DsnRequest | None) -> Mapping[str, Any] | None:
    if request is None:
        return None
    recipients = {
        path: {
            "notify": None if one.notify is None else one.notify.text,
            "orcpt": one.original or None,
        }
        for path, one in request.recipients.items()
    }
    return {"ret": request.ret, "envid": request.envelope_id or None, "recipients": recipients}


def _copied(place: str, content: ContentStretch, facts: Mapping[str, Any] | None) -> SourceMessage:
    """Return a message from a mailbox, with its envelope above it."""
    if facts is None:
        return replace(_bare(content), place=place)
    return _with_facts(place, content.below_fields()[1], facts)


def _bare(content: ContentStretch) -> SourceMessage:
    found, below = content.below_fields()
    return SourceMessage(str(content.path), found.reverse_path, found.forward_paths, below)


def _with_facts(place: str, content: ContentStretch, facts: Mapping[str, Any]) -> SourceMessage:
    try:
        return SourceMessage(
            place=place,
            reverse_path=facts["reverse_path"],
            forward_paths=tuple(recipient["forward_path"] for recipient in facts["recipients"]),
            content=content,
            received_at=datetime.fromisoformat(facts["received_at"]),
            needs_smtputf8=facts["needs_smtputf8"],
            dsn=facts.get("dsn"),  # missing in older exports
            is_suspect=facts.get("is_suspect", False),
            is_delay_told=facts.get("is_delay_told", False),
            message_id=facts.get("message_id"),
            origin=facts.get("origin"),
        )
    except KeyError as error:
        raise ValueError(f"its side file was not written by an export: it has no {error}") from None
    except TypeError:
        raise ValueError(
            "its side file was not written by an export: a value has a wrong form"
        ) from None


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the facts of each line of a list. Raises ValueError for a line that has none."""
    if path.is_file():
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield _facts(line, f"{path}, line {number}")


def _facts(text: bytes, place: str) -> Mapping[str, Any]:
    """Read the facts about a message. Raises ValueError if these are none."""
    try:
        facts = read_foreign_json(text)
    except ValueError:
        facts = None
    if isinstance(facts, dict):
        return facts
    raise ValueError(f"{place}: was not written by an export; restore it from the export")
