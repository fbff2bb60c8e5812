"""A drill's message comes in like that of a stranger: STARTTLS first, and every reply counts."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import replace

import pytest
import trustme

from restante.readiness.drill_entry import DrillEntry, DrillEnvelope, NotTaken, bring

ENVELOPE = DrillEnvelope("mx2.example.net", "drill-1", "postmaster@a.example")
CERTIFICATE = trustme.CA().issue_cert("localhost")
CONTENT = b"Subject: x\r\n\r\nx\r\n"


class Listener:
    """Answers each command, as the script says."""

    def __init__(self, **replies: str) -> None:
        self.replies = replies
        self.heard: list[str] = []
        self.client = ""
        self.ended = asyncio.Event()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CERTIFICATE.configure_cert(self.tls)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.client = writer.get_extra_info("peername")[0]
        with suppress(OSError, EOFError):
            await self._converse(reader, writer)
        writer.transport.abort()
        self.ended.set()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-hello\r\n220 there\r\n")
        while line := await reader.readline():
            text = line.decode().strip()
            self.heard.append(text)
            verb = text.split()[0] if text.split() else ""
            if verb == "DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                verb = "CONTENT"
            usual = "250-a\r\n250 ok" if verb == "EHLO" else "250 ok"
            writer.write(self.replies.get(verb, usual).encode() + b"\r\n")
            if verb == "STARTTLS" and self.replies.get(verb, "").startswith("220"):
                await writer.start_tls(self.tls)
            if verb == "QUIT":
                return


def brought(
    listener: Listener, seconds: float = 10.0, envelope: DrillEnvelope = ENVELOPE
) -> DrillEntry:
    async def main() -> DrillEntry:
        server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            try:
                return await bring("127.0.0.1", port, envelope, CONTENT, seconds)
            finally:
                await listener.ended.wait()
                for _ in range(5):  # the transports close
                    await asyncio.sleep(0)

    return asyncio.run(main())


def test_it_is_taken_under_tls_with_its_pass_and_without_reports() -> None:
    listener = Listener(STARTTLS="220 go", CONTENT="250 2.0.0 held")
    found = brought(listener)
    assert found.reply == "250 2.0.0 held"
    assert found.tls.startswith("TLSv1.3 ")
    assert len(found.certificate) == 64
    assert "MAIL FROM:<> ENVID=drill-1" in listener.heard
    assert "RCPT TO:<postmaster@a.example> NOTIFY=NEVER" in listener.heard


def test_it_comes_from_the_address_that_was_chosen() -> None:
    listener = Listener(STARTTLS="220 go")
    brought(listener, envelope=replace(ENVELOPE, source="127.0.0.77"))
    assert listener.client == "127.0.0.77"
    with pytest.raises(NotTaken):  # no address of this machine
        asyncio.run(bring("127.0.0.1", 1, replace(ENVELOPE, source="192.0.2.200"), CONTENT, 5.0))


def test_a_refusal_is_told_in_the_listener_s_words() -> None:
    with pytest.raises(NotTaken, match="not now"):
        brought(Listener(STARTTLS="220 go", RCPT="450 4.7.1 not now"))
    with pytest.raises(NotTaken, match="502 no"):
        brought(Listener(STARTTLS="502 no"))


def test_no_listener_is_a_failure_too() -> None:
    with pytest.raises(NotTaken):
        asyncio.run(bring("127.0.0.1", 1, ENVELOPE, CONTENT, 5.0))
