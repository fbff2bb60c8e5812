"""Webhooks over real sockets on loopback: requests, the meaning of answers, bad receivers."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

import pytest
import trustme

from restante.network.resolver import Resolver
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.webhook_signature import new_signing_key
from restante.notices.webhook_transport import WebhookTransport
from restante.notices.wording import webhook_body
from restante.tenancy.model import IpAddress
from tests.delivery.world import Names
from tests.documented_receiver import HOW_TO, verify
from tests.notices.scene import notice, play

HOSTNAME = "mx2.example.net"
SECRET = "a-token-in-the-path"
LOCAL = Names({"localhost": ["127.0.0.1"]})


@dataclass
class Receiver:
    """Accepts requests, gives each its prepared answer, then closes."""

    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"
    on_request: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            first, *lines = head.split("\r\n")[:-2]
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((first, headers, body))
            writer.write(self.answer)
            if self.on_request is not None:
                await self.on_request(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving[asyncio.ensure_future(self.serve(reader, writer))] = writer

        server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
        # Its end is not waited for here: since version 3.12, Python waits for the connections too.
        with closing(server):
            yield server.sockets[0].getsockname()[1]
        for _ in range(
            3
        ):  # turns in which a connection that was just accepted is made known to `begin`
            await asyncio.sleep(0)
        while others := asyncio.all_tasks() - {
            asyncio.current_task()
        }:  # also those that are accepting a connection
            for task in serving:
                task.cancel()
            await asyncio.wait(others, timeout=1.0)
        for writer in serving.values():  # also of a task that has ended
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


def post(
    receiver: Receiver, *, seconds: float = 30.0, now: float | None = None, key: str | None = None
) -> NoticeAttempt:
    async def story() -> NoticeAttempt:
        webhooks = WebhookTransport(
            HOSTNAME, time.time if now is None else lambda: now, lambda: seconds, Names()
        )
        async with receiver.listening() as port:
            return await webhooks.send(
                f"http://127.0.0.1:{port}/in/{SECRET}?q=1",
                key or new_signing_key(),
                notice(held_back=2),
            )

    return play(story())


def test_a_notice_is_posted_as_json_and_signed() -> None:
    receiver, key = Receiver(), new_signing_key()
    assert post(receiver, key=key) == NoticeAttempt(NoticeResult.SENT, "204 No Content")
    [(first, headers, body)] = receiver.requests
    assert first == f"POST /in/{SECRET}?q=1 HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "the-key"
    assert verify(key, headers, body)
    assert json.loads(body) == {
        "id": "the-key",
        "type": "mail-after-quiet",
        "timestamp": "2027-01-15T08:00:00.000Z",
        "server": HOSTNAME,
        "account": "alpha",
        "about": "alpha.example",
        "text": "something about alpha.example",
        "held_back": 2,
        "details": {},
    }


def test_the_documented_notice_has_every_field_and_no_other() -> None:
    [example] = re.findall(r"```json\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert json.loads(example).keys() == json.loads(webhook_body(notice(), HOSTNAME)).keys()


def test_the_documented_receiver_refuses_what_was_changed_or_is_old() -> None:
    receiver, key = Receiver(), new_signing_key()
    post(receiver, key=key)
    [(_, headers, body)] = receiver.requests
    assert not verify(key, headers, body + b" ")
    assert not verify(new_signing_key(), headers, body)
    for name in ("webhook-id", "webhook-timestamp"):
        assert not verify(key, {**headers, name: "1" + headers[name]}, body)
    old = Receiver()
    post(old, key=key, now=time.time() - 400)
    assert not verify(key, *old.requests[0][1:])
    assert verify(key, *old.requests[0][1:], tolerance=1000)


def test_each_attempt_is_signed_anew_and_says_the_same() -> None:
    key, first, second = new_signing_key(), Receiver(), Receiver()
    post(first, key=key, now=1000.0)
    post(second, key=key, now=2000.0)
    assert first.requests[0][2] == second.requests[0][2]
    assert first.requests[0][1]["webhook-signature"] != second.requests[0][1]["webhook-signature"]
    assert first.requests[0][1]["webhook-id"] == second.requests[0][1]["webhook-id"]


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (200, NoticeResult.SENT),
        (202, NoticeResult.SENT),
        (299, NoticeResult.SENT),
        (302, NoticeResult.NOT_NOW),
        (304, NoticeResult.NOT_NOW),
        (400, NoticeResult.REFUSED),
        (401, NoticeResult.NOT_NOW),
        (404, NoticeResult.NOT_NOW),
        (410, NoticeResult.REFUSED),
        (429, NoticeResult.NOT_NOW),
        (500, NoticeResult.NOT_NOW),
        (599, NoticeResult.NOT_NOW),
    ],
)
def test_every_answer_has_its_meaning(status: int, end: NoticeResult) -> None:
    attempt = post(Receiver(b"HTTP/1.1 %d anything they like\r\n\r\n" % status))
    assert attempt.end is end
    assert attempt.text.startswith(str(status))
    assert "anything" not in attempt.text  # their words stay out


def test_a_redirect_is_not_followed() -> None:
    target = Receiver()

    async def story() -> NoticeAttempt:
        async with target.listening() as port:
            source = Receiver(
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:%d/\r\n\r\n" % port
            )
            async with source.listening() as first:
                webhooks = WebhookTransport(HOSTNAME, time.time, lambda: 30.0, Names())
                return await webhooks.send(
                    f"http://127.0.0.1:{first}/", new_signing_key(), notice()
                )

    attempt = play(story())
    assert attempt == NoticeAttempt(
        NoticeResult.NOT_NOW, "307 Temporary Redirect: redirects are not followed"
    )
    assert target.connections == 0


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send without end, as fast as it is taken."""
    while not writer.is_closing():
        writer.write(b"x" * 65536)
        await writer.drain()


def test_an_answer_without_end_is_not_read() -> None:
    """Its status is all that counts."""
    receiver = Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", drip)
    assert post(receiver) == NoticeAttempt(NoticeResult.SENT, "200 OK")


def test_a_head_without_end_is_cut_off() -> None:
    receiver = Receiver(b"HTTP/1.1 200 OK\r\nX: ", drip)
    attempt = post(receiver)
    assert attempt.end is NoticeResult.NOT_NOW
    assert attempt.text == "its answer is not HTTP"


async def hang(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
def test_a_receiver_that_says_nothing_is_left(answer: bytes) -> None:
    assert post(Receiver(answer, hang), seconds=0.05) == NoticeAttempt(
        NoticeResult.NOT_NOW, "no answer in time"
    )


@pytest.mark.parametrize(
    "answer", [b"", b"\x16\x03\x01 no HTTP\r\n\r\n", b"HTTP/1.1 99999 X\r\n\r\n"]
)
def test_an_answer_that_is_not_http_does_not_count(answer: bytes) -> None:
    attempt = post(Receiver(answer))
    assert attempt.end is NoticeResult.NOT_NOW
    assert SECRET not in attempt.text


def test_where_nobody_listens_it_is_tried_again() -> None:
    async def story() -> NoticeAttempt:
        async with Receiver().listening() as port:
            pass
        webhooks = WebhookTransport(HOSTNAME, time.time, lambda: 30.0, Names())
        return await webhooks.send(f"http://127.0.0.1:{port}/{SECRET}", new_signing_key(), notice())

    attempt = play(story())
    assert attempt.end is NoticeResult.NOT_NOW
    assert "onnect" in attempt.text
    assert SECRET not in attempt.text


def named(
    names: Resolver, host: str = "hook.example", seconds: float = 30.0
) -> tuple[NoticeAttempt, Receiver]:
    """Post to a receiver on 127.0.0.1, by a name."""
    receiver = Receiver()

    async def story() -> NoticeAttempt:
        webhooks = WebhookTransport(HOSTNAME, time.time, lambda: seconds, names)
        async with receiver.listening() as port:
            return await webhooks.send(
                f"http://u:p@{host}:{port}/{SECRET}", new_signing_key(), notice()
            )

    return play(story()), receiver


@pytest.mark.parametrize("host", ["hook.example", "HOOK.example", "hook.example."])
def test_the_name_is_looked_up_as_destinations_are_and_the_request_has_it(host: str) -> None:
    names = Names({"hook.example": ["127.0.0.1"]})
    attempt, receiver = named(names, host)
    assert attempt.end is NoticeResult.SENT
    assert names.asked == ["hook.example"]
    [(first, headers, _)] = receiver.requests
    assert first == f"POST /{SECRET} HTTP/1.1"
    assert headers["host"].rpartition(":")[0] == host.lower()
    assert headers["authorization"].startswith("Basic ")


def test_where_one_address_does_not_answer_the_next_is_tried() -> None:
    attempt, receiver = named(Names({"hook.example": ["127.0.0.2", "127.0.0.3", "127.0.0.1"]}))
    assert attempt.end is NoticeResult.SENT
    assert receiver.connections == 1


def test_of_many_addresses_some_are_tried() -> None:
    attempt, receiver = named(
        Names({"hook.example": [f"127.0.0.{last}" for last in range(2, 60)] + ["127.0.0.1"]})
    )
    assert attempt.end is NoticeResult.NOT_NOW
    assert receiver.connections == 0


def test_a_name_that_is_not_there_is_looked_up_again_later() -> None:
    assert named(Names())[0] == NoticeAttempt(
        NoticeResult.NOT_NOW, "hook.example: no such name in DNS"
    )


@pytest.mark.parametrize("addresses", [[], ["127.0.0.2"]])
def test_after_a_failure_the_name_is_looked_up_anew(addresses: list[str]) -> None:
    """The host may have moved, and the old answer could be kept for an hour."""
    names = Names({"hook.example": addresses} if addresses else {})
    assert named(names, "hook.example.")[0].end is NoticeResult.NOT_NOW
    assert names.forgotten == ["hook.example"]


def test_a_name_that_works_is_kept() -> None:
    names = Names({"hook.example": ["127.0.0.1"]})
    assert named(names)[0].end is NoticeResult.SENT
    assert names.forgotten == []


class SilentNames:
    """Name servers that do not answer."""

    def forget(self, name: str) -> None:
        pass

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        await asyncio.Event().wait()
        raise AssertionError(name)


def test_a_look_up_takes_no_longer_than_all_of_it_may() -> None:
    assert named(SilentNames(), seconds=0.05)[0] == NoticeAttempt(
        NoticeResult.NOT_NOW, "no answer in time"
    )


@pytest.mark.parametrize("is_trusted", [True, False])
def test_the_certificate_is_checked(is_trusted: bool) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ours if is_trusted else theirs).issue_cert("localhost").configure_cert(served)
    trusting = ssl.create_default_context()
    ours.configure_trust(trusting)
    receiver = Receiver()

    async def story() -> NoticeAttempt:
        async with receiver.listening(served) as port:
            webhooks = WebhookTransport(HOSTNAME, time.time, lambda: 30.0, LOCAL, trusting)
            return await webhooks.send(f"https://localhost:{port}/", new_signing_key(), notice())

    attempt = play(story())
    if is_trusted:
        assert attempt.end is NoticeResult.SENT
    else:
        assert attempt.end is NoticeResult.NOT_NOW
        assert attempt.text.startswith("its certificate is not trusted: ")
    assert len(receiver.requests) == is_trusted


def test_a_name_that_is_not_the_certificates_is_not_trusted() -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def story() -> NoticeAttempt:
        async with Receiver().listening(served) as port:
            webhooks = WebhookTransport(HOSTNAME, time.time, lambda: 30.0, LOCAL, trusting)
            return await webhooks.send(f"https://localhost:{port}/", new_signing_key(), notice())

    text = play(story()).text
    assert text.startswith("its certificate is not trusted: ")
    assert not text.endswith(".")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"])
def test_a_webhook_of_an_account_leads_to_no_private_address(host: str) -> None:
    receiver = Receiver()

    async def story() -> NoticeAttempt:
        webhooks = WebhookTransport(HOSTNAME, time.time, lambda: 30.0, LOCAL)
        async with receiver.listening() as port:
            return await webhooks.send(
                f"http://{host}:{port}/", new_signing_key(), notice(), is_public_only=True
            )

    assert play(story()) == NoticeAttempt(NoticeResult.NOT_NOW, "its host has no public address")
    assert not receiver.connections
