"""Imported mail, from the stream to complete messages: labels read, content cleaned."""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from restante.admin.dsn_facts import DsnFacts, dsn_request
from restante.admin.origin_facts import OriginFacts
from restante.admin.request_bounds import MOST_RECIPIENTS, AnyMoment, AtMost
from restante.mail.dsn_request import DsnRequest
from restante.mail.import_stream import StreamEnd, StreamLabel, StreamPiece, StreamUnpacker
from restante.mail.message import ContentFile
from restante.mail.message_id import MESSAGE_ID_LIMIT, MessageIdSearch
from restante.smtp.content import ChunkDecoder
from restante.store.reception_store import INLINE_LIMIT, ContentSpool, ReceptionStore
from restante.transfer.transfer_error import TransferError, TransferFault

MAX_MESSAGES = 500  # in one request
MAX_INLINE = (
    16 * 1024 * 1024
)  # octets of one request that are kept in memory; more goes to disk, whatever its size

_Path = Annotated[str, Field(max_length=600)]


class ImportLabel(BaseModel):
    """The label of an imported message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reverse_path: _Path
    forward_paths: Annotated[tuple[_Path, ...], Field(min_length=1), AtMost(MOST_RECIPIENTS)]
    received_at: AnyMoment | None = None  # None: now; never later than now
    is_8bit: bool = False
    needs_smtputf8: bool = False
    dsn: DsnFacts | None = None  # the report requests
    is_suspect: bool = False  # no report goes to its reverse-path
    is_delay_told: bool = False  # its sender has got a delay report and gets no second one
    message_id: Annotated[str, Field(max_length=MESSAGE_ID_LIMIT)] | None = None
    origin: OriginFacts | None = None  # where it came from, as an export says
    only_domain: _Path | None = None  # recipients of other domains, hosted or not, are passed over
    perhaps: Annotated[
        tuple[_Path, ...], AtMost(MOST_RECIPIENTS)
    ] = ()  # held messages that may be the same as this one


@dataclass(slots=True)
class ArrivedMessage:
    """One complete message."""

    label: ImportLabel
    dsn: DsnRequest | None
    content: bytes  # b"" where `file` has it
    file: ContentFile | None
    spool: ContentSpool | None  # the one that made the file
    digest: bytes
    message_id: str | None
    is_used: bool = False  # a message owns the file

    @property
    def size(self) -> int:
        """Octets of content in total."""
        return len(self.content) + (self.file.size if self.file else 0)


@dataclass(slots=True)
class ImportArrival:
    """Splits a stream into messages; large content goes to disk as it arrives."""

    reception: ReceptionStore
    messages: list[ArrivedMessage] = field(default_factory=list)
    _unpacker: StreamUnpacker = field(default_factory=StreamUnpacker)
    _inline: int = 0
    _label: ImportLabel | None = None
    _content: "_IncomingContent | None" = None

    async def receive(self, octets: bytes) -> None:
        """Take octets of the stream. Raises TransferError, StoreError."""
        try:
            for piece in self._unpacker.receive(octets):
                await self._take(piece)
        except ValueError as error:
            raise TransferError(
                TransferFault.MALFORMED,
                f"import: {error}",
                "send the stream of an export (application/x-restante-mail)",
            ) from None

    def close(self) -> None:
        """Raise TransferError if the stream was cut off."""
        try:
            self._unpacker.close()
        except ValueError as error:
            raise TransferError(
                TransferFault.MALFORMED, f"import: {error}", "send it again"
            ) from None

    def discard(self, *, even_used: bool) -> None:
        """Discard the files, or only those that no message owns."""
        spools = [arrived.spool for arrived in self.messages if even_used or not arrived.is_used]
        if self._content is not None:
            spools.append(self._content.spool)
        for spool in spools:
            if spool is not None:
                spool.discard()

    async def _take(self, piece: StreamPiece) -> None:
        match piece:
            case StreamLabel(facts):
                if len(self.messages) == MAX_MESSAGES:
                    raise ValueError(f"there are more than {MAX_MESSAGES} messages in it")
                self._label = _read_label(facts)
                self._content = _IncomingContent(self.reception)
            case StreamEnd(failure):
                await self._end(failure)
            case bytes():
                assert self._content is not None
                await self._content.add(piece, may_stay=self._inline < MAX_INLINE)

    async def _end(self, failure: str) -> None:
        assert self._content is not None
        assert self._label is not None
        if failure:
            raise ValueError(failure)
        content, file = await self._content.finish()
        self._inline += len(content)
        request = dsn_request(self._label.dsn)
        digest = self._content.digest.digest()
        message_id = self._label.message_id or self._content.message_id
        self.messages.append(
            ArrivedMessage(
                self._label, request, content, file, self._content.spool, digest, message_id
            )
        )
        self._content = None


class _IncomingContent:
    """Cleans content, as SMTP does, and keeps it in memory up to a limit."""

    def __init__(self, reception: ReceptionStore) -> None:
        self._reception = reception
        self._decoder = ChunkDecoder()
        self._blocks: list[bytes] = []
        self._octets = 0
        self.digest = hashlib.sha256()
        self._search = MessageIdSearch()
        self.spool: ContentSpool | None = None

    @property
    def message_id(self) -> str | None:
        """The Message-ID of its header, as far as it was found."""
        return self._search.found

    async def add(self, block: bytes, *, may_stay: bool) -> None:
        """Take a block. Raises StoreError."""
        self._keep(self._decoder.receive(block, is_last=False))
        if self._octets > INLINE_LIMIT or (not may_stay and self._octets):
            await self._write()

    async def finish(self) -> tuple[bytes, ContentFile | None]:
        """Return the content, or the durable file that has it. Raises StoreError."""
        self._keep(self._decoder.receive(b"", is_last=True))
        if self.spool is None:
            return b"".join(self._blocks), None
        await self._write()
        return b"", await self.spool.close()

    def _keep(self, block: bytes) -> None:
        self.digest.update(block)
        self._search.take(block)
        self._blocks.append(block)
        self._octets += len(block)

    async def _write(self) -> None:
        if self.spool is None:
            self.spool = self._reception.open_spool()
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
