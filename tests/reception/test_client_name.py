"""The name of a session's client is awaited briefly, and kept with its mail."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from restante.checks.check import CheckLimits, ExaminedContent, SimpleCheck
from restante.checks.verdict import PASSED, CheckVerdict
from restante.mail.message import HeldMessage
from restante.mail.message_origin import PtrStatus
from restante.network.ptr_lookup import LOOKUP_FAILED, PtrAnswer
from restante.reception.client_name import NAME_SECONDS, NOT_LOOKED_UP, ClientName
from restante.reception.reception_settings import ReceptionSettings
from restante.store.reception_store import INLINE_LIMIT
from restante.tenancy.model import IpAddress
from tests.delivery.swift_loop import run_swiftly
from tests.wire import HOME, Wire

NAMED = PtrAnswer(PtrStatus.CONFIRMED, "mx.a.example", 600.0)
LINE = b"0123456789 0123456789\r\n"
LARGE = LINE * (INLINE_LIMIT // len(LINE) + 1)


@dataclass
class LateNames:
    """Answers that are there, or that come when the test says so."""

    answer: PtrAnswer = NAMED
    is_late: bool = False
    asked: list[IpAddress] = field(default_factory=list)
    pending: "list[asyncio.Future[PtrAnswer]]" = field(default_factory=list)

    def find(self, address: IpAddress) -> "PtrAnswer | asyncio.Future[PtrAnswer]":
        self.asked.append(address)
        if not self.is_late:
            return self.answer
        loop = asyncio.get_running_loop()
        self.pending.append(loop.create_future())
        loop.call_soon(self.pending[-1].set_result, self.answer)
        return self.pending[-1]


class NeverNames(LateNames):
    """No answer ever comes."""

    def find(self, address: IpAddress) -> "PtrAnswer | asyncio.Future[PtrAnswer]":
        self.asked.append(address)
        self.pending.append(asyncio.get_running_loop().create_future())
        return self.pending[-1]


def test_without_a_question_nothing_is_known() -> None:
    name = ClientName(LateNames(), HOME)
    assert (name.answer, name.is_awaited) == (NOT_LOOKED_UP, False)


def test_where_names_are_not_looked_up_nobody_is_asked() -> None:
    name = ClientName(None, HOME)
    name.ask()
    assert (name.answer, name.is_awaited) == (NOT_LOOKED_UP, False)


def test_a_late_answer_is_awaited_for_two_seconds_and_then_counts_as_failed() -> None:
    async def scenario() -> tuple[float, PtrAnswer]:
        name = ClientName(NeverNames(), HOME)
        name.ask()
        assert name.is_awaited
        began = asyncio.get_running_loop().time()
        await name.wait()
        return asyncio.get_running_loop().time() - began, name.answer

    seconds, answer = run_swiftly(scenario())
    assert seconds == pytest.approx(NAME_SECONDS, abs=0.5)
    assert answer == LOOKUP_FAILED


@pytest.fixture
def names() -> LateNames:
    return LateNames()


@pytest.fixture
def looking(names: LateNames) -> Iterator[Wire]:
    """A session on a server that looks names up."""
    wire = Wire(ReceptionSettings(ptr=True), client_names=names)
    wire.hosts("a.example")
    yield wire
    wire.close()


def held(smtp: Wire, body: bytes = b"Text\r\n") -> HeldMessage:
    smtp.send(b"MAIL FROM:<b@b.example>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n")
    smtp.send(b"\r\n" + body + b".\r\n")
    one = smtp.held("a.example")[-1]
    found = smtp.run(smtp.store.queue.message(one.number))
    assert found is not None
    return found


@pytest.mark.parametrize("body", [b"Text\r\n", LARGE], ids=["in memory", "spooled"])
@pytest.mark.parametrize("is_late", [False, True])
def test_mail_keeps_the_name_and_how_sure_it_is(
    looking: Wire, names: LateNames, body: bytes, is_late: bool
) -> None:
    names.is_late = is_late
    for answer in (NAMED, PtrAnswer(PtrStatus.UNCONFIRMED, "x.example"), LOOKUP_FAILED):
        names.answer = answer
        origin = held(looking, body).origin
        assert origin is not None
        assert (origin.ptr, origin.host_name) == (answer.status, answer.name)


def test_only_a_client_with_an_accepted_recipient_is_looked_up(
    looking: Wire, names: LateNames
) -> None:
    looking.send(b"MAIL FROM:<b@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\nRSET\r\n")
    assert names.asked == []
    held(looking)
    assert names.asked == [ipaddress.ip_address(HOME)]


def test_without_the_setting_nothing_is_looked_up(names: LateNames) -> None:
    wire = Wire(client_names=names)
    wire.hosts("a.example")
    origin = held(wire).origin
    wire.close()
    assert origin is not None
    assert (origin.ptr, names.asked) == (PtrStatus.NOT_LOOKED_UP, [])


def test_a_client_that_leaves_while_its_name_is_awaited_has_sent_nothing() -> None:
    """It got no 250, so it sends the message again."""
    names = NeverNames()
    wire = Wire(ReceptionSettings(ptr=True), client_names=names)
    wire.hosts("a.example")

    async def leave() -> None:
        wire.session.receive_data(b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n")
        wire.dialogue.advance()
        wire.session.receive_data(b"\r\nText\r\n.\r\n")
        wire.dialogue.advance()
        assert wire.dialogue.is_waiting
        wire.dialogue.abandon()
        names.pending[0].set_result(NAMED)

    wire.run(leave())
    wire.send(b"")
    assert wire.held("a.example") == []
    wire.close()


@dataclass
class NameKeeper(SimpleCheck):
    """Reads content, and keeps the client's name that it is told."""

    name = "keeper"
    told: list[str] = field(default_factory=list)
    reads_content: bool = True

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        self.told.append(facts.client.name)
        return PASSED


@pytest.mark.parametrize("is_late", [False, True])
def test_a_check_of_content_is_told_a_confirmed_name(names: LateNames, is_late: bool) -> None:
    """Then names are looked up without the setting too."""
    wire, check = Wire(client_names=names), NameKeeper()
    wire.hosts("a.example")
    wire.checks = [(check, CheckLimits())]
    wire.restart()
    names.is_late = is_late
    for answer in (NAMED, PtrAnswer(PtrStatus.UNCONFIRMED, "x.example"), LOOKUP_FAILED):
        names.answer = answer
        held(wire)
    assert check.told == ["mx.a.example", "", ""]
    check.reads_content = False
    wire.restart()
    names.asked.clear()
    held(wire)
    assert names.asked == []
    wire.close()
