"""Mail brought in by hand: from another server's queue, or from what was exported.

It takes the way of all mail: through the one intake, durable when it is said to be held, and counted. It gets no
Received field of ours: what it says of its way here stays true. A message is split by hosted domain, as one that comes
by SMTP is; recipients of other domains are passed over, and named.

Repeated after an interruption, an import names what is held already that a message may be the same as (`perhaps`). It
is, if reverse-path and content are equal and nobody waits for it who is not among the forward-paths. What has been
handed over meanwhile cannot be known any more, and comes again.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from restante.admin.domains import find_domain
from restante.admin.errors import AdminError, Kind
from restante.admin.office import Office
from restante.admin.queue import MAX_NAMES, number_of
from restante.admin.queue_content import content_blocks
from restante.admin.trail import announce, entry
from restante.mail.address import canonical_domain, is_address_literal, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.mail.parcel import End, Label, Piece, Unpacker
from restante.reception.intake import Receipt, ReceivedMail
from restante.smtp.content import ChunkDecoder
from restante.smtp.errors import Refused
from restante.smtp.grammar import parse_path
from restante.smtp.replies import BAD_FORWARD_PATH, BAD_REVERSE_PATH
from restante.store.errors import Damaged
from restante.store.interface import INLINE_LIMIT, Spool
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain

MAX_MESSAGES = 500  # in one request
MAX_INLINE = 16 * 1024 * 1024  # octets of one request that are kept in memory; more goes to disk, whatever its size

_Path = Annotated[str, Field(max_length=600)]


class ImportLabel(BaseModel):
    """What is said of a message that is brought in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reverse_path: _Path
    forward_paths: Annotated[tuple[_Path, ...], Field(min_length=1, max_length=100_000)]
    received_at: datetime | None = None  # None: now; never later than now
    is_8bit: bool = False
    needs_smtputf8: bool = False
    only_domain: str | None = None  # recipients of other domains are passed over, hosted or not
    perhaps: tuple[str, ...] = ()  # messages held already that this may be one of


class ImportResult(BaseModel):
    """What became of one message, in the order in which they came."""

    held: list[str]  # its names here, one for each hosted domain
    already: list[str]  # messages that it is the same as; it was not held again for their domains
    passed_over: list[str]  # forward-paths that are of no hosted domain, or no forward-paths
    error: str = ""  # why it could not be held at all


class DigestOrder(BaseModel):
    """Messages of which something that is to be brought in may be one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[tuple[str, ...], Field(max_length=MAX_NAMES)]


@dataclass(slots=True)
class _Parcel:
    """One message that has come in whole."""

    label: ImportLabel
    content: bytes  # b"" where `file` has it
    file: ContentFile | None
    digest: bytes


@dataclass(slots=True)
class _Part:
    """A message's part for one hosted domain."""

    result: ImportResult
    domain: HostedDomain
    mail: ReceivedMail


async def import_mail(office: Office, stream: AsyncIterator[bytes], reason: str = "") -> list[ImportResult]:
    """Hold the messages of a stream of parcels, all or none, and say what became of each.

    Raises AdminError for what is no such stream, and StoreError; nothing is held then.
    """
    arrival = _Arrival(office)
    try:
        async for octets in stream:
            await arrival.receive(octets)
        arrival.close()
        parts, results = await _parts(office, arrival.parcels)
        await _hold(office, parts)
    except BaseException:
        arrival.discard()
        raise
    await _record(office, parts, reason)
    return results


async def digest_content(office: Office, order: DigestOrder) -> dict[str, str]:
    """Return the SHA-256 of each message's content in hexadecimal, by name; what is gone or damaged is left out.

    It tells who has a message that it is here, and tells others nothing: no look into content, and no entry in a trail.
    """
    digests = {}
    for name in order.names:
        with suppress(Damaged):
            message = await office.store.message(number_of(name))
            if message is not None:
                digests[name] = (await _digest(office, message)).hex()
    return digests


@dataclass(slots=True)
class _Arrival:
    """Takes a stream apart; large content goes to disk as it comes."""

    office: Office
    parcels: list[_Parcel] = field(default_factory=list)
    _unpacker: Unpacker = field(default_factory=Unpacker)
    _inline: int = 0
    _label: ImportLabel | None = None
    _content: "_IncomingContent | None" = None
    _spools: list[Spool] = field(default_factory=list)

    async def receive(self, octets: bytes) -> None:
        """Take what has come. Raises AdminError, StoreError."""
        try:
            for piece in self._unpacker.receive(octets):
                await self._take(piece)
        except ValueError as error:
            raise AdminError(Kind.INVALID, f"import: {error}", "send parcels, as mail/parcel.py has them") from None

    def close(self) -> None:
        """Raise AdminError if the stream was cut off."""
        try:
            self._unpacker.close()
        except ValueError as error:
            raise AdminError(Kind.INVALID, f"import: {error}", "send it again") from None

    def discard(self) -> None:
        """Forget what is on disk."""
        for spool in self._spools:
            spool.discard()

    async def _take(self, piece: Piece) -> None:
        match piece:
            case Label(facts):
                if len(self.parcels) == MAX_MESSAGES:
                    raise ValueError(f"there are more than {MAX_MESSAGES} messages in it")
                self._label = _read_label(facts)
                self._content = _IncomingContent(self.office)
            case End(failure):
                await self._end(failure)
            case bytes():
                assert self._content is not None
                await self._content.add(piece, may_stay=self._inline < MAX_INLINE)
                if self._content.spool is not None and self._content.spool not in self._spools[-1:]:
                    self._spools.append(self._content.spool)

    async def _end(self, failure: str) -> None:
        assert self._content is not None
        assert self._label is not None
        if failure:
            raise ValueError(failure)
        content, file = await self._content.finish()
        self._inline += len(content)
        self.parcels.append(_Parcel(self._label, content, file, self._content.digest.digest()))


class _IncomingContent:
    """Cleans content, as SMTP does, and keeps it in memory up to a limit."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._decoder = ChunkDecoder()
        self._blocks: list[bytes] = []
        self._octets = 0
        self.digest = hashlib.sha256()
        self.spool: Spool | None = None

    async def add(self, block: bytes, *, may_stay: bool) -> None:
        """Take a block. Raises StoreError."""
        self._keep(self._decoder.receive(block, is_last=False))
        if self._octets > INLINE_LIMIT or (not may_stay and self._octets):
            await self._write()

    async def finish(self) -> tuple[bytes, ContentFile | None]:
        """Return the content, or the durable file that it is in. Raises StoreError."""
        self._keep(self._decoder.receive(b"", is_last=True))
        if self.spool is None:
            return b"".join(self._blocks), None
        await self._write()
        return b"", await self.spool.close()

    def _keep(self, block: bytes) -> None:
        self.digest.update(block)
        self._blocks.append(block)
        self._octets += len(block)

    async def _write(self) -> None:
        if self.spool is None:
            self.spool = self._office.store.open_spool()
        octets = b"".join(self._blocks)
        self._blocks, self._octets = [], 0
        if octets:
            await self.spool.write(octets)


def _read_label(facts: object) -> ImportLabel:
    try:
        label = ImportLabel.model_validate(facts)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return label


def _is_path(text: str, *, may_be_null: bool = False) -> bool:
    """Tell whether a path may stand in an envelope: by the grammar that MAIL and RCPT go by."""
    label, complaint = ("FROM:", BAD_REVERSE_PATH) if may_be_null else ("TO:", BAD_FORWARD_PATH)
    try:
        mailbox, parameters = parse_path(f"{label}<{text}>", label, complaint)
    except Refused:
        return False
    return not parameters and (may_be_null if mailbox is None else str(mailbox) == text)


async def _parts(office: Office, parcels: Sequence[_Parcel]) -> tuple[list[_Part], list[ImportResult]]:
    """Return what is to be held, and the results, whose names are filled in when it is."""
    parts: list[_Part] = []
    results: list[ImportResult] = []
    taken: set[str] = set()  # each message held stands for one that is brought in, and no more
    for parcel in parcels:
        by_domain, passed_over = _sorted_by_domain(office, parcel.label)
        result = ImportResult(held=[], already=[], passed_over=passed_over)
        results.append(result)
        if not _is_path(parcel.label.reverse_path, may_be_null=True):
            result.error = f"the reverse-path {parcel.label.reverse_path!r} is none by RFC 5321"
            continue
        file = parcel.file
        for domain, paths in by_domain.items():
            same = await _same(office, parcel, domain, paths, taken)
            if same:
                taken.add(same)
                result.already.append(same)
                continue
            if file is None and parcel.file is not None:
                file = await office.store.duplicate(parcel.file)
            parts.append(_Part(result, domain, _mail(office, parcel, domain, paths, file)))
            file = None
    return parts, results


def _sorted_by_domain(office: Office, label: ImportLabel) -> tuple[dict[HostedDomain, list[str]], list[str]]:
    by_domain: dict[HostedDomain, list[str]] = {}
    passed_over = []
    only = None if label.only_domain is None else find_domain(office, label.only_domain)
    for path in dict.fromkeys(label.forward_paths):
        domain = _hosted(office, path)
        if domain is None or only not in (None, domain):
            passed_over.append(path)
        else:
            by_domain.setdefault(domain, []).append(path)
    return by_domain, passed_over


def _hosted(office: Office, path: str) -> HostedDomain | None:
    name = split_mailbox(path).domain
    if not _is_path(path) or is_address_literal(name):
        return None
    try:
        return office.directory.now.domains.get(canonical_domain(name))
    except ValueError:
        return None


async def _same(
    office: Office, parcel: _Parcel, domain: HostedDomain, paths: Iterable[str], taken: set[str]
) -> str | None:
    """Return the message held already that this one is, if there is one."""
    for name in parcel.label.perhaps:
        if name not in taken and await _is_same(office, parcel, domain, set(paths), name):
            return name
    return None


async def _is_same(office: Office, parcel: _Parcel, domain: HostedDomain, paths: set[str], name: str) -> bool:
    try:
        message = await office.store.message(number_of(name))
        if message is None or message.domain_id != domain.id:
            return False
        envelope = message.envelope
        if envelope.reverse_path != parcel.label.reverse_path or not paths.issuperset(envelope.forward_paths):
            return False
        return await _digest(office, message) == parcel.digest
    except Damaged:
        return False  # what is brought in may be what saves it


async def _digest(office: Office, message: HeldMessage) -> bytes:
    digest = hashlib.sha256()
    async for block in content_blocks(office, message):
        digest.update(block)
    return digest.digest()


def _mail(
    office: Office, parcel: _Parcel, domain: HostedDomain, paths: Sequence[str], file: ContentFile | None
) -> ReceivedMail:
    label = parcel.label
    now = office.now()
    envelope = Envelope(label.reverse_path, tuple(paths), label.is_8bit, label.needs_smtputf8)
    return ReceivedMail(
        origin=None,
        envelope=envelope,
        domain_ids=[domain.id] * len(paths),
        content=parcel.content,
        file=file,
        on_held=_unheard,
        received_at=min(now, label.received_at.timestamp()) if label.received_at else now,
    )


def _unheard(_receipt: Receipt) -> None:
    """Until the intake is given the mail."""


async def _hold(office: Office, parts: Sequence[_Part]) -> None:
    receipts = await office.hold([part.mail for part in parts])
    for receipt in receipts:
        if receipt.failure is not None:
            raise receipt.failure
    for part, receipt in zip(parts, receipts, strict=True):
        part.result.held.append(receipt.name)


async def _record(office: Office, parts: Sequence[_Part], reason: str) -> None:
    """Write the entries, one a domain. After the mail is held: a crash in between leaves mail that no entry names."""
    names: dict[HostedDomain, list[str]] = {}
    for part in parts:
        names.setdefault(part.domain, []).append(part.mail.name)
    for domain, group in names.items():
        recorded = entry(office, AuditAction.MAIL_IMPORTED, " ".join(group), domain.account, reason)
        await office.store.record([recorded])
        announce(office, recorded)
