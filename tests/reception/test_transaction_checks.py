"""Checks on the wire: at RCPT and at the end of content, over DATA and BDAT."""

import asyncio
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address

import pytest

from restante.checks.check import Check, CheckLimits, ExaminedContent, OnFailure
from restante.checks.verdict import CheckPassed, CheckVerdict
from restante.mail.message import HeldMessage
from restante.store.store_errors import StoreError
from restante.telemetry.events import CheckFailed, MailChecked, MailRefused, RecipientRefused
from tests.checks.sample_checks import (
    INFECTED,
    LISTED,
    AddressList,
    Broken,
    ContentFilter,
    DomainSign,
    Milter,
    Waiting,
)
from tests.wire import Wire

OPENING = b"MAIL FROM:<s@b.example>\r\nRCPT TO:<one@a.example>\r\n"
LARGE = b"Subject: x\r\n\r\n" + b"0123456789 0123456789 0123456789\r\n" * 20000


def checking(smtp: Wire, *checks: Check, **limits: object) -> None:
    """Host a domain, and begin a session with these checks alone."""
    smtp.hosts("a.example")
    smtp.checks = [(check, CheckLimits(**limits)) for check in checks]  # type: ignore[arg-type]
    smtp.restart()


def by_data(content: bytes) -> bytes:
    return b"DATA\r\n" + content + b".\r\n"


def by_bdat(content: bytes) -> bytes:
    middle = len(content) // 2
    return (
        b"BDAT %d\r\n" % middle
        + content[:middle]
        + b"BDAT %d LAST\r\n" % (len(content) - middle)
        + content[middle:]
    )


WAYS = pytest.mark.parametrize("way", [by_data, by_bdat])
SIZES = pytest.mark.parametrize("large", [False, True], ids=["in memory", "spooled"])


def said(smtp: Wire) -> str:
    return smtp.session.data_to_send().decode().splitlines()[-1]


def verdicts(smtp: Wire, held: HeldMessage) -> dict[str, str]:
    """Return what is kept of the checks beside a message."""
    found = smtp.run(smtp.store.queue.message(held.number))
    assert found is not None
    assert found.origin is not None
    return dict(found.origin.verdicts)


def body(text: bytes, *, large: bool) -> bytes:
    return b"Subject: x\r\n\r\n" + text + b"\r\n" + (LARGE if large else b"")


@WAYS
@SIZES
def test_content_is_read_as_it_was_sent_and_what_is_found_stands_above_our_field(
    smtp: Wire, way: type, large: bool
) -> None:
    check = ContentFilter()
    checking(smtp, check)
    sent = body(b"text", large=large)
    smtp.send(OPENING + way(sent))
    assert said(smtp).startswith("250 2.0.0 OK, held as")
    assert check.read == [sent]
    [held] = smtp.held("a.example")
    assert held.head.startswith(f"X-Filter: score={len(sent) / 1000:g}\r\nReceived: ".encode())
    assert (held.file is not None) is large
    [checked] = smtp.log.of(MailChecked)
    assert checked["notes"] == (f"filter {len(sent) / 1000:g}: HAS_SIZE",)
    assert smtp.memory_budget.now == 0


@SIZES
def test_each_domain_has_the_findings_of_its_own_recipients_and_of_the_content(
    smtp: Wire, large: bool
) -> None:
    smtp.hosts("b.example", account="beta")
    smtp.hosts("c.example", account="gamma")
    checking(smtp, DomainSign("b.example"), ContentFilter())
    sent = body(b"text", large=large)
    others = b"RCPT TO:<x@b.example>\r\nRCPT TO:<x@c.example>\r\nRCPT TO:<two@a.example>\r\n"
    smtp.send(OPENING + others + by_data(sent))
    score = f"{len(sent) / 1000:g}"
    [for_a], [for_b], [for_c] = (smtp.held(f"{name}.example") for name in "abc")
    assert [one.envelope.is_suspect for one in (for_a, for_b, for_c)] == [False, True, False]
    filtered = {"filter": f"score {score}; HAS_SIZE"}
    assert verdicts(smtp, for_a) == verdicts(smtp, for_c) == filtered
    assert verdicts(smtp, for_b) == {"sign": "suspect; score 3; listed", **filtered}
    field = f"X-Filter: score={score}\r\n".encode()
    assert for_a.head.startswith(field + b"Received: ")
    assert for_a.head == for_c.head
    assert for_b.head == b"X-Sign: listed\r\n" + for_a.head


class OfOneDomain(ContentFilter):
    """Finds something that concerns the mail of the second domain alone."""

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        assert [domain.name for domain in facts.domains] == ["a.example", "b.example"]
        concerned = frozenset({facts.domains[1].id})
        return CheckPassed(("bad",), is_suspect=True, domains=concerned)


def test_what_is_found_in_content_can_concern_some_of_its_domains(smtp: Wire) -> None:
    smtp.hosts("b.example", account="beta")
    checking(smtp, OfOneDomain())
    smtp.send(OPENING + b"RCPT TO:<x@b.example>\r\n" + by_data(body(b"text", large=False)))
    [for_a], [for_b] = (smtp.held(f"{name}.example") for name in "ab")
    assert (for_a.envelope.is_suspect, for_b.envelope.is_suspect) == (False, True)
    assert (verdicts(smtp, for_a), verdicts(smtp, for_b)) == ({}, {"filter": "suspect; bad"})


@WAYS
@SIZES
def test_refused_content_leaves_nothing_and_the_session_goes_on(
    smtp: Wire, way: type, large: bool
) -> None:
    checking(smtp, ContentFilter())
    smtp.send(OPENING + way(body(b"EICAR", large=large)))
    assert said(smtp) == str(INFECTED.reply)
    assert smtp.held("a.example") == []
    assert smtp.log.of(MailRefused)[0]["reason"] == "check filter: EICAR"
    assert smtp.memory_budget.now == 0
    smtp.send(OPENING + way(body(b"text", large=False)))
    assert said(smtp).startswith("250 2.0.0 OK, held as")


@WAYS
@SIZES
@pytest.mark.parametrize("on_failure", OnFailure)
@pytest.mark.parametrize(
    "check",
    [Waiting, lambda: Broken("content"), lambda: Broken("content later")],
    ids=["slow", "at once", "late"],
)
def test_a_failure_at_content_accepts_or_defers(
    smtp: Wire, way: type, large: bool, on_failure: OnFailure, check: Callable[[], Check]
) -> None:
    checking(smtp, check(), seconds=0.02, on_failure=on_failure)
    smtp.send(OPENING + way(body(b"text", large=large)))
    is_held = on_failure is OnFailure.ACCEPT
    assert said(smtp).startswith("250 2.0.0" if is_held else "451 4.7.1 Cannot examine mail")
    assert len(smtp.held("a.example")) == is_held
    assert smtp.log.of(CheckFailed)
    assert smtp.memory_budget.now == 0


@WAYS
def test_a_listed_client_is_refused_at_rcpt_for_a_while(smtp: Wire, way: type) -> None:
    checking(smtp, AddressList("203.0.113.9"))
    smtp.peer = ip_address("203.0.113.9")
    smtp.connect(has_tls=True)
    smtp.send(OPENING)
    assert said(smtp) == str(LISTED.reply)
    assert smtp.log.of(RecipientRefused)[0]["reason"] == "check list: list.example"
    smtp.peer = ip_address("203.0.113.10")
    smtp.connect(has_tls=True)
    smtp.send(OPENING + way(body(b"text", large=False)))
    assert said(smtp).startswith("250 2.0.0")


@pytest.mark.parametrize(
    ("on_failure", "reply"),
    [(OnFailure.ACCEPT, "250 2.1.5"), (OnFailure.DEFER, "451 4.7.1 Cannot examine mail")],
)
@pytest.mark.parametrize(
    "check",
    [
        lambda: Waiting(about="recipient"),
        lambda: Broken("open"),
        lambda: Broken("recipient"),
        lambda: Broken("recipient later"),
    ],
    ids=["slow", "at begin", "at once", "late"],
)
def test_a_failure_at_rcpt_accepts_or_defers(
    smtp: Wire, on_failure: OnFailure, reply: str, check: Callable[[], Check]
) -> None:
    checking(smtp, check(), seconds=0.02, on_failure=on_failure)
    smtp.send(OPENING)
    assert said(smtp).startswith(reply)


def test_refused_recipients_are_not_examined(smtp: Wire) -> None:
    milter = Milter()
    checking(smtp, milter)
    smtp.send(b"MAIL FROM:<>\r\nRCPT TO:<x@b.example>\r\n")
    assert said(smtp).startswith("550 5.7.1")
    assert milter.sessions == [["open"]]


def test_a_session_of_a_check_sees_its_transactions_in_order(smtp: Wire) -> None:
    milter = Milter()
    checking(smtp, milter)
    smtp.send(OPENING + by_data(b"x\r\n") + OPENING + b"RSET\r\n" + OPENING + by_bdat(b"xy\r\n"))
    smtp.dialogue.abandon()
    smtp.dialogue.abandon()
    assert milter.sessions == [
        [
            "open",
            "recipient one@a.example",
            "content 3",
            "recipient one@a.example",
            "abort",
            "recipient one@a.example",
            "content 4",
            "close",
        ]
    ]


def test_pipelined_commands_wait_for_the_verdicts(smtp: Wire) -> None:
    checking(smtp, AddressList(), ContentFilter())
    smtp.send(OPENING + b"RCPT TO:<two@a.example>\r\n" + by_data(b"EICAR\r\n") + b"NOOP\r\n")
    codes = [line[:3] for line in smtp.session.data_to_send().decode().splitlines()]
    assert codes == ["250", "250", "250", "354", "554", "250"]


@SIZES
@pytest.mark.parametrize("about", ["recipient", "content"])
def test_a_client_that_leaves_meanwhile_cuts_the_examination_short(
    smtp: Wire, about: str, large: bool
) -> None:
    check = Waiting(about=about)
    checking(smtp, check)

    async def leave() -> None:
        smtp.session.receive_data(OPENING + by_data(body(b"text", large=large)))
        smtp.dialogue.advance()
        await check.has_begun.wait()
        assert smtp.dialogue.is_waiting
        smtp.dialogue.abandon()
        await asyncio.gather(*smtp._tasks)

    smtp.run(leave())
    assert (check.running, check.cut_short) == (0, 1)
    assert smtp.held("a.example") == []
    assert smtp.memory_budget.now == 0
    assert smtp.log.of(CheckFailed) == []


def test_other_sessions_go_on_while_a_check_waits(smtp: Wire) -> None:
    check = Waiting()
    checking(smtp, check)
    first, first_session = smtp.dialogue, smtp.session

    async def both() -> bytes:
        first_session.receive_data(OPENING + by_data(b"x\r\n"))
        first.advance()
        other, session = smtp._connect(has_tls=True)
        session.receive_data(b"EHLO c.example\r\nNOOP\r\n")
        other.advance()
        assert first.is_waiting
        check.may_answer.set()
        return session.data_to_send()

    assert smtp.run(both()).endswith(b"250 2.0.0 OK\r\n")
    smtp.send(b"")
    assert len(smtp.held("a.example")) == 1


def test_content_waiting_for_a_check_makes_room_for_others(smtp: Wire) -> None:
    """At the memory limit it goes to disk, and is read from there."""
    check, reading = Waiting(), ContentFilter()
    checking(smtp, check, reading, at_once=1)
    sent = body(b"text", large=False)

    async def wait() -> None:
        smtp.session.receive_data(OPENING + by_data(sent))
        smtp.dialogue.advance()
        await check.has_begun.wait()
        [asking] = smtp._tasks
        smtp.memory_budget.add(smtp.memory_budget.limit)  # by others
        await asyncio.gather(*(task for task in smtp._tasks if task is not asking))
        smtp.memory_budget.remove(smtp.memory_budget.limit)
        check.may_answer.set()

    smtp.run(wait())
    smtp.send(b"")
    assert said(smtp).startswith("250 2.0.0")
    [held] = smtp.held("a.example")
    assert held.file is not None
    assert reading.read == [sent]
    assert smtp.memory_budget.now == 0


def test_content_that_the_spool_cannot_give_back_is_deferred(
    smtp: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking(smtp, ContentFilter())

    def unreadable(_file: object) -> object:
        raise StoreError("damaged")

    monkeypatch.setattr(smtp.store.content, "read_file", unreadable)
    smtp.send(OPENING + by_data(LARGE))
    assert said(smtp).startswith("451 4.3.0")
    assert smtp.held("a.example") == []
    assert smtp.log.of(CheckFailed) == []
