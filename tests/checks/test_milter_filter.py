"""A milter as a filter: the conversation, and every way in which the other side can fail."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.checks.check import ExaminedContent
from restante.checks.filter_answer import FilterAdvice, FilterAnswer, FilterFailed
from restante.checks.milter_codec import HEADER_LIMIT, MilterBroken, MilterSteps, packet, strings
from restante.checks.milter_filter import MilterConversation, MilterFilter
from restante.checks.milter_settings import MilterSettings
from restante.mail.address import Mailbox
from restante.tenancy.policy import HygienePolicy
from tests.checks.filter_facts import blocks_of, content_facts
from tests.checks.milter_server import MilterServer, Said, busy, drip, gone, options, silent
from tests.checks.signs import STRANGER
from tests.network.test_filter_http import Names

TAKE, PUT_OFF, REFUSE = FilterAdvice.TAKE, FilterAdvice.PUT_OFF, FilterAdvice.REFUSE
MESSAGE = b"A: 1\r\n 2\r\nB:3\r\n\r\n" + b"text\r\n" * 20_000
FACTS = content_facts(
    HygienePolicy.DEFER,
    HygienePolicy.MARK,
    client=STRANGER._replace(port=4711, name="c.example"),
    reverse_path=Mailbox("s", "b.example"),
)


def run(act: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            await act(stack)

    asyncio.run(bounded())


async def ask(
    server: MilterServer,
    message: bytes = MESSAGE,
    facts: ExaminedContent = FACTS,
    size: int = 65536,
    names: Names | None = None,
) -> FilterAnswer:
    made = MilterSettings(name="stub", address=server.address)
    return await MilterFilter(made, names or Names()).ask(facts, blocks_of(message, size))


@pytest.mark.parametrize("has_socket", [False, True])
@pytest.mark.parametrize("size", [1, 7, 65536])
def test_it_is_told_all_of_the_message_step_by_step(
    tmp_path: Path, has_socket: bool, size: int
) -> None:
    message = MESSAGE if size > 100 else MESSAGE[:100]

    async def act(stack: AsyncExitStack) -> None:
        path = tmp_path / "milter.sock" if has_socket else None
        server = await stack.enter_async_context(MilterServer(socket=path))
        found = await ask(server, message, size=size)
        assert found.advice is TAKE
        assert "".join(letter for letter, _ in server.told if letter not in "DB").startswith(
            "OCHMRRTLLNE"
        )
        assert server.data("C") == [b"c.example\0" + b"4\x12\x67" + b"192.0.2.1\0"]
        assert server.data("H") == [b"c.example\0"]
        assert server.data("M") == [b"<s@b.example>\0"]
        assert server.data("R") == [b"<x@d1.example>\0", b"<x@d2.example>\0"]
        assert server.data("L") == [b"A\x001\n 2\0", b"B\x003\0"]
        assert b"".join(server.data("B")) == message.partition(b"\r\n\r\n")[2]
        [key] = [note.removeprefix("queue id ") for note in found.notes]
        assert b"Ei\0" + key.encode() + b"\0" in server.data("D")
        assert b"{client_addr}\x00192.0.2.1\0" in server.data("D")[0]

    run(act)


def test_steps_that_it_leaves_out_are_left_out_and_no_reply_is_awaited_of_silent_ones() -> None:
    left_out = MilterSteps.NO_CONNECT | MilterSteps.NO_HELLO | MilterSteps.NO_RECIPIENT
    quiet = MilterSteps.SILENT_HEADER | MilterSteps.SILENT_BODY | MilterSteps.SILENT_DATA
    exact = MilterSteps.LEADING_SPACE

    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(
            MilterServer(
                dict.fromkeys("LBT", b""), greeting=options(6, 0x11, left_out | quiet | exact)
            )
        )
        assert (await ask(server)).advice is TAKE
        order = "".join(letter for letter, _ in server.told if letter != "D")
        assert order.startswith("OMTLLNBB")
        assert server.data("L")[0] == b"A\0 1\n 2\0"

    run(act)


@pytest.mark.parametrize("letter", "CHMTLNBE")
@pytest.mark.parametrize(
    ("said", "advice", "note"),
    [
        (packet("a"), TAKE, "accept"),
        (packet("t"), PUT_OFF, "tempfail"),
        (packet("r"), REFUSE, "reject"),
        (packet("d"), REFUSE, "discard"),
        (packet("y", b"450 4.7.1 later\0"), PUT_OFF, "450 4.7.1 later"),
        (packet("y", b"550 5.7.1 \xffno\r\n\0"), REFUSE, "550 5.7.1 no"),
        (packet("p") + packet("r"), REFUSE, "reject"),
    ],
)
def test_it_can_decide_at_each_step(
    letter: str, said: bytes, advice: FilterAdvice, note: str
) -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(MilterServer({letter: said}))
        found = await ask(server)
        assert (found.advice, found.notes[0]) == (advice, note)

    run(act)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ([packet("r"), packet("c")], TAKE),
        ([packet("r"), packet("r")], REFUSE),
        ([packet("r"), packet("t")], PUT_OFF),
        ([packet("d")], REFUSE),
        ([packet("a")], TAKE),
    ],
)
def test_recipients_that_it_refuses_count_if_it_refuses_all(
    said: list[bytes], advice: FilterAdvice
) -> None:
    async def act(stack: AsyncExitStack) -> None:
        left = list(said)

        async def next_one(writer: asyncio.StreamWriter) -> None:
            writer.write(left.pop(0))

        server = await stack.enter_async_context(MilterServer({"R": next_one}))
        assert (await ask(server)).advice is advice

    run(act)


def test_fields_that_it_would_add_are_noted_and_a_quarantine_refuses() -> None:
    added = packet("h", strings("A-R", "mx2; dkim=pass\n header.d=b.example"))
    changed = packet("i", struct.pack("!I", 1) + strings("X-Y", "z"))
    quarantined = packet("q", strings("virus"))

    async def act(stack: AsyncExitStack) -> None:
        ends = (added + changed + packet("a"), quarantined + packet("c"))
        for said, advice in zip(ends, (TAKE, REFUSE), strict=True):
            server = await stack.enter_async_context(MilterServer({"E": said}))
            found = await ask(server)
            assert found.advice is advice
            if advice is TAKE:
                assert found.notes[:2] == ("A-R: mx2; dkim=pass header.d=b.example", "X-Y: z")
            else:
                assert found.notes[0] == "quarantine virus"

    run(act)


@pytest.mark.parametrize(
    ("says", "greeting", "cause"),
    [
        ({}, options(6, 0x02), "it wants to change the content or the recipients"),
        ({}, b"HTTP/1.1 400 Bad\r\n\r\n", "its packet has"),
        ({}, packet("c"), "does not speak the milter protocol"),
        ({}, gone, "it ended the conversation"),
        ({"M": packet("b", b"new body")}, options(), "its reply 'b' is not expected"),
        ({"E": packet("+", b"<x@y>\0")}, options(), r"its reply '\+' is not expected"),
        ({"N": gone}, options(), "it ended the conversation"),
        ({"B": gone}, options(), "it ended the conversation"),
        ({"E": gone}, options(), "it ended the conversation"),
        ({"E": busy}, options(), "too many replies"),
        ({"M": busy}, options(), "too many replies"),
        ({}, silent, None),
        ({"M": silent}, options(), None),
        ({"E": drip}, options(), None),
    ],
)
def test_every_failure_is_told_and_is_over_in_time(
    says: dict[str, Said], greeting: Said, cause: str | None
) -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(MilterServer(says, greeting=greeting))
        if cause is None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await ask(server)
        else:
            with pytest.raises(FilterFailed, match=cause) as failure:
                await ask(server)
            assert not failure.value.is_of_message

    run(act)


def test_one_that_is_not_there_is_a_failure() -> None:
    async def act(stack: AsyncExitStack) -> None:
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await ask(MilterServer(port=9))
        with pytest.raises(OSError, match="No such file"):
            await ask(MilterServer(socket=Path("/nonexistent/x")))

    run(act)


@pytest.mark.parametrize(
    ("message", "fields", "body"),
    [
        (b"\r\ntext\r\n", [], b"text\r\n"),
        (b"A: 1\r\n", [b"A\x001\0"], b""),
        (b"", [], b""),
        (b"text\r\n\r\n", [], b""),
    ],
)
def test_content_of_any_form_is_told(message: bytes, fields: list[bytes], body: bytes) -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(MilterServer())
        assert (await ask(server, message, size=1)).advice is TAKE
        assert (server.data("L"), b"".join(server.data("B"))) == (fields, body)

    run(act)


def test_a_header_without_an_end_is_a_fault_of_the_message() -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(MilterServer())
        with pytest.raises(FilterFailed) as failure:
            await ask(server, b"A: 1\r\n" * (HEADER_LIMIT // 6 + 20_000))
        assert failure.value.is_of_message

    run(act)


class Sink:
    """Takes all that is written."""

    def write(self, data: bytes) -> None:
        assert data

    async def drain(self) -> None:
        pass


PACKETS = st.builds(
    packet, st.sampled_from("caratydspphimqb+Of4"), st.binary(max_size=12)
) | st.binary(max_size=9)


@settings(max_examples=200)
@given(st.integers(0, 0x1FFFFF), st.lists(PACKETS, max_size=30))
def test_whatever_it_says_the_conversation_ends_in_advice_or_failure(
    steps: int, said: list[bytes]
) -> None:
    async def hold() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(options(6, 0x11, steps & ~0x800) + b"".join(said))
        reader.feed_eof()
        conversation = MilterConversation(reader, Sink())  # type: ignore[arg-type]
        with suppress(MilterBroken, asyncio.IncompleteReadError):
            found = await conversation.hold(FACTS, blocks_of(MESSAGE[:200]))
            assert all(note.isascii() and note.isprintable() for note in found.notes)

    asyncio.run(hold())
