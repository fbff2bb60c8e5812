"""One connection over a real socket: time, back-pressure, and an end that always comes."""

import asyncio
import ipaddress
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.delivery.connection_source import dial
from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.link_plan import (
    ConnectionEnd,
    ConnectionWork,
    EndKind,
    LinkPlan,
    SendingManner,
)
from restante.delivery.route import Endpoint
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import MessageOutcome
from restante.smtp.handshake import ClientOptions
from restante.tenancy.model import TlsUse
from tests.delivery.scripted_primary import CLOSE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import until
from tests.smtp.client_talk import mail

MEBIBYTE = 1024 * 1024
SETTINGS = DeliverySettings()


@dataclass
class Post:
    """Messages for a connection, and their outcomes."""

    waiting: deque[HeldMessage]
    outcomes: list[MessageOutcome] = field(default_factory=list)
    blocks: int = 0

    def take(self) -> HeldMessage | None:
        return self.waiting.popleft() if self.waiting else None

    def report(self, _: HeldMessage, outcome: MessageOutcome, __: str) -> None:
        self.outcomes.append(outcome)

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        for _ in range(file.size // MEBIBYTE):
            self.blocks += 1
            yield b"x" * MEBIBYTE


def connect(post: Post, port: int) -> DeliveryConnection:
    options = ClientOptions("mx2.example.net", TlsUse.OFF)
    plan = LinkPlan(
        Endpoint(ipaddress.ip_address("127.0.0.1"), port), "p.example", options, None, SETTINGS
    )
    return DeliveryConnection(
        dial(plan.endpoint, SETTINGS.connect_timeout),
        plan,
        ConnectionWork(post.take, post.report, post.read_file),
    )


def ended(script: Script, *messages: HeldMessage) -> tuple[ConnectionEnd, float, Post]:
    """Run a connection to the scripted server. Return its end, its seconds, and the post."""
    post = Post(deque(messages or [mail(1)]))

    async def main() -> tuple[ConnectionEnd, float]:
        async with ScriptedPrimary(script) as primary:
            connection = connect(post, primary.port)
            began = asyncio.get_running_loop().time()
            end = await connection.run()
            return end, asyncio.get_running_loop().time() - began

    end, seconds = run_swiftly(main())
    return end, seconds, post


@pytest.mark.parametrize(
    ("silent_at", "step", "seconds"),
    [
        ("GREETING", "greeting", SETTINGS.reply_timeout),
        ("EHLO", "EHLO", SETTINGS.reply_timeout),
        ("MAIL", "MAIL", SETTINGS.reply_timeout),
        ("DATA", "DATA", SETTINGS.reply_timeout),
        ("CONTENT", "content", SETTINGS.content_timeout),
    ],
)
def test_a_silent_server_is_left_after_the_time_of_its_step(
    silent_at: str, step: str, seconds: float
) -> None:
    end, took, post = ended({silent_at: SILENCE})
    assert (end.kind, end.reason) == (EndKind.BROKEN, f"timed out waiting for the reply to {step}")
    assert took == pytest.approx(seconds, abs=1)
    assert [message.number for message in end.outstanding] == (
        [] if silent_at in ("GREETING", "EHLO") else [1]
    )
    assert not post.outcomes


def test_bytes_that_drip_buy_no_time() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"2")
            await asyncio.sleep(100)

    async def main() -> ConnectionEnd:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        async with server:
            end = await connect(Post(deque()), server.sockets[0].getsockname()[1]).run()
            await asyncio.sleep(300)  # until the server has seen it
            return end

    assert run_swiftly(main()).reason == "timed out waiting for the reply to greeting"


@pytest.mark.parametrize("farewell", [SILENCE, CLOSE, "421 bye", "500 what?", "nonsense"])
def test_at_quit_nothing_can_go_wrong_any_more(farewell: str) -> None:
    post = Post(deque([mail(1)]))

    async def main() -> tuple[ConnectionEnd, float]:
        async with ScriptedPrimary({"QUIT": farewell}) as primary:
            connection = connect(post, primary.port)
            running = asyncio.ensure_future(connection.run())
            await until(lambda: bool(post.outcomes))
            began = asyncio.get_running_loop().time()
            connection.finish()
            return await running, asyncio.get_running_loop().time() - began

    end, seconds = run_swiftly(main())
    assert (end.kind, end.reason, end.outstanding) == (EndKind.QUIT, "", ())
    assert seconds < 6


def test_large_content_is_read_no_faster_than_it_is_taken() -> None:
    """The server stops reading: so does the disk, and after a time we leave."""
    large = mail(1, content=b"R: x\r\n", file=ContentFile("f", 200 * MEBIBYTE, 0))
    post = Post(deque([large]))

    async def main() -> tuple[ConnectionEnd, float]:
        async with ScriptedPrimary() as primary:
            answer = primary.answer

            def stop_reading(command: str) -> str:
                if command == "DATA":
                    for session in primary.open:
                        session.transport.pause_reading()
                return answer(command)

            primary.answer = stop_reading  # type: ignore[method-assign]
            began = asyncio.get_running_loop().time()
            end = await connect(post, primary.port).run()
            return end, asyncio.get_running_loop().time() - began

    end, seconds = run_swiftly(main())
    assert end.reason == "timed out waiting for the destination"
    assert seconds == pytest.approx(SETTINGS.reply_timeout, abs=5)
    assert post.blocks < 20
    assert [message.number for message in end.outstanding] == [1]


@pytest.mark.parametrize("early", ["552 5.3.4 too big", "250 fine", "421 enough"])
def test_a_reply_in_mid_content_ends_it_without_an_end_mark(early: str) -> None:
    large = mail(1, content=b"R: x\r\n", file=ContentFile("f", 50 * MEBIBYTE, 0))
    post = Post(deque([large]))

    async def main() -> tuple[ConnectionEnd, ScriptedPrimary]:
        async with ScriptedPrimary({"DATA": f"354 go\r\n{early}"}) as primary:
            return await connect(post, primary.port).run(), primary

    end, primary = run_swiftly(main())
    assert end.kind is (EndKind.BUSY if early.startswith("421") else EndKind.BROKEN)
    assert early in end.reason
    assert [message.number for message in end.outstanding] == [1]
    assert not post.outcomes
    assert not primary.taken


def test_a_server_that_leaves_in_mid_content_leaves_it_outstanding() -> None:
    end, _, post = ended({"CONTENT": CLOSE}, mail(1, content=b"x" * 60000 + b"\r\n"), mail(2))
    assert end.kind is EndKind.BROKEN
    assert [message.number for message in end.outstanding] == [1]
    assert not post.outcomes


def test_a_connection_that_had_nothing_to_send_ahead_does_not_speak_against_running_ahead() -> None:
    """Others took all the mail, and the primary closed it for being idle."""

    async def main() -> ConnectionEnd:
        async with ScriptedPrimary(offer=("PIPELINING", "CHUNKING")) as primary:
            running = asyncio.ensure_future(connect(Post(deque()), primary.port).run())
            await until(
                lambda: "RSET" in primary.commands or "EHLO mx2.example.net" in primary.commands
            )
            await asyncio.sleep(0.1)
            for session in list(primary.open):
                session.transport.close()
            return await running

    end = run_swiftly(main())
    assert (end.kind, end.manner) == (EndKind.BROKEN, SendingManner.AHEAD)


def test_aborting_is_possible_at_any_moment() -> None:
    def at(moment: str) -> Callable[[ScriptedPrimary, Post], bool]:
        moments: dict[str, Callable[[ScriptedPrimary, Post], bool]] = {
            "at once": lambda *_: True,
            "connected": lambda primary, _: primary.connections == 1,
            "in a transaction": lambda primary, _: "DATA" in primary.commands,
        }
        return moments[moment]

    async def main(moment: str) -> tuple[ConnectionEnd, float]:
        post = Post(deque([mail(1)]))
        async with ScriptedPrimary({"DATA": SILENCE}) as primary:
            connection = connect(post, primary.port)
            began = asyncio.get_running_loop().time()
            running = asyncio.ensure_future(connection.run())
            await until(lambda: at(moment)(primary, post))
            connection.abort("not any more")
            return await running, asyncio.get_running_loop().time() - began

    for moment in ("at once", "connected", "in a transaction"):
        end, seconds = run_swiftly(main(moment))
        assert (end.kind, end.reason) == (EndKind.ABORTED, "not any more")
        assert seconds < 5, moment


def test_aborting_does_not_wait_for_a_connection_that_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> tuple[ConnectionEnd, float]:
        loop = asyncio.get_running_loop()

        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(loop, "create_connection", never)
        connection = connect(Post(deque()), 1)
        began = loop.time()
        running = asyncio.ensure_future(connection.run())
        await asyncio.sleep(1)
        connection.abort("not any more")
        return await running, loop.time() - began

    end, seconds = run_swiftly(main())
    assert end.kind is EndKind.ABORTED
    assert seconds < 5


@pytest.mark.parametrize("comes", [True, False])
def test_a_connection_under_way_is_awaited_for_a_moment_at_the_end(
    comes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut, it would stand in the primary's log as a connection that was lost."""

    async def main() -> tuple[ConnectionEnd, float, list[str]]:
        loop = asyncio.get_running_loop()
        connects, may_come = loop.create_connection, asyncio.Event()

        async def slowly(*arguments: Any, **options: Any) -> Any:
            await may_come.wait()
            return await connects(*arguments, **options)

        monkeypatch.setattr(loop, "create_connection", slowly)
        async with ScriptedPrimary() as primary:
            connection = connect(Post(deque()), primary.port)
            running = asyncio.ensure_future(connection.run())
            await asyncio.sleep(0)
            began = loop.time()
            connection.finish()
            if comes:
                may_come.set()
            return await running, loop.time() - began, primary.commands

    end, seconds, commands = run_swiftly(main())
    assert (end.kind, commands[-1:]) == (
        (EndKind.QUIT, ["QUIT"]) if comes else (EndKind.ABORTED, [])
    )
    assert seconds < 6


def test_a_connection_that_does_not_come_is_not_awaited_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> tuple[ConnectionEnd, float]:
        loop = asyncio.get_running_loop()

        async def never(*_: Any, **__: Any) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(loop, "create_connection", never)
        began = loop.time()
        return await connect(Post(deque()), 1).run(), loop.time() - began

    end, seconds = run_swiftly(main())
    assert (end.kind, end.reason) == (EndKind.UNREACHABLE, "connecting timed out")
    assert seconds == pytest.approx(SETTINGS.connect_timeout, abs=1)


def test_a_defect_is_raised_where_the_drain_meets_it() -> None:
    class Stumbling(Post):
        def report(self, *_: object) -> None:
            raise RuntimeError("a defect")

    async def main() -> None:
        async with ScriptedPrimary() as primary:
            await connect(Stumbling(deque([mail(1)])), primary.port).run()

    with pytest.raises(RuntimeError, match="a defect"):
        run_swiftly(main())
