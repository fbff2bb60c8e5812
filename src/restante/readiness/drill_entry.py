"""Brings the message of a drill to a listener of this server: SMTP with STARTTLS, as a stranger.

It connects to our own listener and nowhere else. The certificate is noted and not verified: the
check of a domain looks at it, and the listener is ours by its address.
"""

import asyncio
import hashlib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from restante.network.tls_context import unverified_client_context
from restante.phrases import cause_of

_MOST_LINES: Final = 100  # of a reply
_MULTILINE: Final = 4  # the place of the hyphen, and one more


class NotTaken(Exception):  # noqa: N818
    """The listener did not take the message: its own words, or the cause."""


@dataclass(frozen=True, slots=True)
class DrillEntry:
    """How a message was taken."""

    tls: str  # version and cipher
    certificate: str  # SHA-256 of the one that was shown, in hex
    reply: str  # to the content


@dataclass(frozen=True, slots=True)
class DrillEnvelope:
    """The words for the listener."""

    hello: str
    envelope_id: str
    recipient: str
    source: str = ""  # the address from which to connect; "": any


async def bring(
    host: str, port: int, envelope: DrillEnvelope, content: bytes, seconds: float
) -> DrillEntry:
    """Bring a message within so many seconds. Raises NotTaken."""
    try:
        async with asyncio.timeout(seconds):
            source = (envelope.source, 0) if envelope.source else None
            reader, writer = await asyncio.open_connection(host, port, local_addr=source)
            try:
                return await _converse(_Talk(reader, writer), envelope, content)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise NotTaken(f"the listener did not answer within {seconds:.0f} s") from None
    except (OSError, EOFError, ValueError) as error:
        raise NotTaken(cause_of(error)) from error


async def _converse(talk: "_Talk", envelope: DrillEnvelope, content: bytes) -> DrillEntry:
    await talk.expect("220")
    await talk.say(f"EHLO {envelope.hello}", "250")
    await talk.say("STARTTLS", "220")
    tls, certificate = await talk.start_tls()
    await talk.say(f"EHLO {envelope.hello}", "250")
    utf8 = "" if envelope.recipient.isascii() else " SMTPUTF8"
    await talk.say(f"MAIL FROM:<> ENVID={envelope.envelope_id}{utf8}", "250")
    await talk.say(f"RCPT TO:<{envelope.recipient}> NOTIFY=NEVER", "250")
    await talk.say("DATA", "354")
    talk.send(content + b".\r\n")
    reply = await talk.expect("250")
    with suppress(NotTaken, OSError, EOFError):  # the message is taken, whatever follows
        await talk.say("QUIT", "221")
    return DrillEntry(tls, certificate, reply)


class _Talk:
    """One connection, a command at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def say(self, command: str, code: str) -> str:
        self.send(f"{command}\r\n".encode())
        return await self.expect(code)

    async def expect(self, code: str) -> str:
        """Return a reply with this code. Raises NotTaken for another one."""
        lines = []
        for _ in range(_MOST_LINES):
            line = await self._reader.readuntil(b"\n")
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if lines[-1][3:_MULTILINE] != "-":
                break
        if not lines[-1].startswith(code):
            raise NotTaken(lines[-1])
        return lines[-1]

    async def start_tls(self) -> tuple[str, str]:
        """Return version and cipher, and the digest of the certificate."""
        await self._writer.start_tls(unverified_client_context())
        tls = self._writer.get_extra_info("ssl_object")
        assert isinstance(tls, ssl.SSLObject | ssl.SSLSocket)
        shown = tls.getpeercert(binary_form=True) or b""
        cipher = tls.cipher()
        name = cipher[0] if cipher is not None else ""
        return f"{tls.version()} {name}", hashlib.sha256(shown).hexdigest()
