"""A milter as a filter: one connection and one conversation for each message.

The conversation is that of a mail server whose client has just sent the message. The milter may end
it at any step. It changes nothing: fields that it would add are noted, other changes are refused
(milter_codec.py). The caller limits the time.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from restante.checks.check import ExaminedContent
from restante.checks.filter_answer import FilterAdvice, FilterAnswer, FilterFailed
from restante.checks.milter_codec import (
    BODY_LIMIT,
    HEADER_LIMIT,
    MilterBroken,
    MilterReply,
    MilterSteps,
    agreed_steps,
    connect,
    header_fields,
    macros,
    offer,
    packet,
    packet_length,
    plain,
    strings,
)
from restante.checks.milter_settings import MilterSettings, milter_place
from restante.mail.message_origin import shown_hello
from restante.network.resolver import LookupFailed, Resolver

_KEY_OCTETS: Final = 5
_NOTES_LIMIT: Final = 8
_NOTE_LIMIT: Final = 200  # characters
_FIELDS_AT_ONCE: Final = 50
_REPLIES_LIMIT: Final = 1000  # to one step
_HEADER_END: Final = b"\r\n\r\n"
_PERMANENT: Final = "5"
_DISCARDED: Final = "discard"


class MilterFilter:
    """Asks one milter."""

    is_on = True

    def __init__(self, settings: MilterSettings, resolver: Resolver) -> None:
        self.name = settings.name
        self.seconds = settings.timeout
        self._place = milter_place(settings.address)
        self._resolver = resolver

    async def ask(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> FilterAnswer:
        """Return its answer about a message. Raises FilterFailed, OSError, StoreError."""
        reader, writer = await self._connect()
        try:
            answer = await MilterConversation(reader, writer).hold(facts, blocks)
            writer.close()
        except MilterBroken as error:
            raise FilterFailed(str(error)) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise FilterFailed("it ended the conversation") from None
        finally:
            if not writer.is_closing():
                writer.transport.abort()  # it may never read the rest
        return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self._place
        if place.socket:
            return await asyncio.open_unix_connection(place.socket)
        return await asyncio.open_connection(await self._host(), place.port)

    async def _host(self) -> str:
        host = self._place.host
        with suppress(ValueError):
            return str(ip_address(host))
        try:
            found = await self._resolver.addresses(host.rstrip("."))
        except LookupFailed as error:
            raise FilterFailed(str(error)) from None
        return str(found[0])


class _Decided(Exception):  # noqa: N818
    """The milter has decided about the message."""

    def __init__(self, advice: FilterAdvice) -> None:
        super().__init__(advice)
        self.advice = advice


class MilterConversation:
    """The conversation about one message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._steps = MilterSteps(0)
        self._key = secrets.token_hex(_KEY_OCTETS)
        self._notes: list[str] = []

    async def hold(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> FilterAnswer:
        """Go through all steps, or up to the one at which the milter decides."""
        self._writer.write(offer())
        self._steps = agreed_steps(await self._read())
        try:
            await self._tell_of_client(facts)
            await self._tell_of_recipients(facts)
            await self._tell_content(blocks)
            advice = await self._end()
        except _Decided as decided:
            advice = decided.advice
        self._writer.write(packet("Q"))
        kept = dict.fromkeys(self._notes)
        return FilterAnswer(advice, (*tuple(kept)[:_NOTES_LIMIT], f"queue id {self._key}"))

    async def _tell_of_client(self, facts: ExaminedContent) -> None:
        client, steps = facts.client, MilterSteps
        name = client.name or f"[{client.address}]"
        hello = shown_hello(client.hello)
        version, _, cipher = client.tls.partition(" ")
        if not self._steps & steps.NO_CONNECT:
            self._macros(
                "C",
                ("j", client.hostname),
                ("{daemon_name}", client.hostname),
                ("v", "Restante"),
                ("{client_name}", client.name or "unknown"),
                ("{client_ptr}", client.name or "unknown"),
                ("{client_addr}", str(client.address)),
                ("{client_port}", str(client.port)),
            )
            await self._step(connect(name, client.address, client.port), steps.SILENT_CONNECT)
        if not self._steps & steps.NO_HELLO:
            self._macros("H", ("{tls_version}", version), ("{cipher}", cipher))
            await self._step(packet("H", strings(hello)), steps.SILENT_HELLO)
        path = "" if facts.reverse_path is None else str(facts.reverse_path)
        if not self._steps & steps.NO_MAIL:
            self._macros("M", ("i", self._key), ("{mail_addr}", path))
            await self._step(packet("M", strings(f"<{path}>")), steps.SILENT_MAIL)

    async def _tell_of_recipients(self, facts: ExaminedContent) -> None:
        """Tell it of each recipient. It decides about the message if it takes none of them."""
        if self._steps & MilterSteps.NO_RECIPIENT:
            return
        refusals = []
        for path in facts.forward_paths:
            self._macros("R", ("i", self._key), ("{rcpt_addr}", path))
            try:
                told = packet("R", strings(f"<{path}>"))
                await self._step(told, MilterSteps.SILENT_RECIPIENT)
            except _Decided as decided:
                if decided.advice is FilterAdvice.TAKE or self._is_discarded:
                    raise
                refusals.append(decided.advice)
        if refusals and len(refusals) == len(facts.forward_paths):
            is_all = all(advice is FilterAdvice.REFUSE for advice in refusals)
            raise _Decided(FilterAdvice.REFUSE if is_all else FilterAdvice.PUT_OFF)

    @property
    def _is_discarded(self) -> bool:
        return _DISCARDED in self._notes

    async def _tell_content(self, blocks: AsyncIterator[bytes]) -> None:
        steps = MilterSteps
        if not self._steps & steps.NO_DATA:
            self._macros("T", ("i", self._key))
            await self._step(packet("T"), steps.SILENT_DATA)
        header, rest = await _header_of(blocks)
        if not self._steps & steps.NO_HEADERS:
            await self._tell_header(header)
        if not self._steps & steps.NO_END_OF_HEADER:
            self._macros("N", ("i", self._key))
            await self._step(packet("N"), steps.SILENT_END_OF_HEADER)
        if not self._steps & steps.NO_BODY:
            await self._tell_body(rest, blocks)

    async def _tell_header(self, header: bytes) -> None:
        is_exact = bool(self._steps & MilterSteps.LEADING_SPACE)
        for count, (name, value) in enumerate(header_fields(header), 1):
            kept = value if is_exact else value.removeprefix(b" ")
            await self._step(packet("L", strings(name, kept)), MilterSteps.SILENT_HEADER)
            if count % _FIELDS_AT_ONCE == 0:
                await asyncio.sleep(0)  # others are next: a header can have very many fields

    async def _tell_body(self, first: bytes, blocks: AsyncIterator[bytes]) -> None:
        for part in _parts(first):
            if await self._step(packet("B", part), MilterSteps.SILENT_BODY) == "s":
                return
        async for block in blocks:
            for part in _parts(block):
                if await self._step(packet("B", part), MilterSteps.SILENT_BODY) == "s":
                    return

    async def _end(self) -> FilterAdvice:
        """End the message, and return the last reply of the milter."""
        self._macros("E", ("i", self._key))
        self._writer.write(packet("E"))
        is_quarantined = False
        for _ in range(_REPLIES_LIMIT):
            reply = await self._read()
            if reply.letter == "q":
                is_quarantined = True
                self._note("quarantine", *reply.strings)
            elif reply.letter in ("h", "i", "m"):
                self._note_field(reply)
            elif reply.letter != "p":
                advice = self._advice(reply)
                wanted = FilterAdvice.REFUSE if is_quarantined else FilterAdvice.TAKE
                return wanted if advice in (None, FilterAdvice.TAKE) else advice
        raise MilterBroken("it has too many replies to one message")

    def _macros(self, letter: str, *values: tuple[str, str]) -> None:
        if any(value for _, value in values):
            self._writer.write(macros(letter, values))

    async def _step(self, told: bytes, silent: MilterSteps) -> str:
        """Tell it something; return the letter of its reply. Raises _Decided."""
        self._writer.write(told)
        await self._writer.drain()
        if self._steps & silent:
            return "c"
        for _ in range(_REPLIES_LIMIT):
            reply = await self._read()
            if reply.letter == "p":
                continue
            advice = self._advice(reply)
            if advice is not None:
                raise _Decided(advice)
            return reply.letter
        raise MilterBroken("it has too many replies to one step")

    def _advice(self, reply: MilterReply) -> FilterAdvice | None:
        """Return the decision in a reply, None to go on. Raises MilterBroken."""
        match reply.letter:
            case "c" | "s":
                return None
            case "a":
                self._note("accept")
                return FilterAdvice.TAKE
            case "t":
                self._note("tempfail")
                return FilterAdvice.PUT_OFF
            case "r":
                self._note("reject")
                return FilterAdvice.REFUSE
            case "d":
                self._note(_DISCARDED)
                return FilterAdvice.REFUSE
            case "y":
                text = plain(reply.data.rstrip(b"\0"))
                self._note(text)
                is_permanent = text.startswith(_PERMANENT)
                return FilterAdvice.REFUSE if is_permanent else FilterAdvice.PUT_OFF
        raise MilterBroken(f"its reply {plain(reply.letter.encode())!r} is not expected")

    def _note(self, *words: str) -> None:
        self._notes.append(" ".join(word for word in words if word)[:_NOTE_LIMIT])

    def _note_field(self, reply: MilterReply) -> None:
        """Note a field that it would add or change. A change begins with an index."""
        data = reply.data if reply.letter == "h" else reply.data[4:]
        self._note(": ".join(MilterReply(reply.letter, data).strings))

    async def _read(self) -> MilterReply:
        length = packet_length(await self._reader.readexactly(4))
        data = await self._reader.readexactly(length)
        return MilterReply(data[:1].decode("latin-1"), data[1:])


async def _header_of(blocks: AsyncIterator[bytes]) -> tuple[bytes, bytes]:
    """Return the header without its end, and the beginning of the body. Raises FilterFailed."""
    found = bytearray()
    async for block in blocks:
        seen = max(0, len(found) - len(_HEADER_END))
        found += block
        if found.startswith(b"\r\n"):  # no header at all
            return b"", bytes(found[2:])
        end = found.find(_HEADER_END, seen)
        if end >= 0:
            return bytes(found[:end]), bytes(found[end + len(_HEADER_END) :])
        if len(found) > HEADER_LIMIT:
            raise FilterFailed("the header of the message is too long", is_of_message=True)
    return bytes(found.removesuffix(b"\r\n")), b""


def _parts(block: bytes) -> Iterable[bytes]:
    """Return a part of the body in pieces that fit into packets."""
    return (block[start : start + BODY_LIMIT] for start in range(0, len(block), BODY_LIMIT))
