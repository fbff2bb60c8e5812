"""The bounds of a check: its time, its number at once, and the mail after a failure."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from ipaddress import ip_address
from typing import Any

import pytest

from restante.checks.check import (
    Check,
    CheckLimits,
    ClientFacts,
    Examination,
    ExaminedContent,
    ExaminedRecipient,
    OnFailure,
)
from restante.checks.check_runner import FAILURE_LINES_APART, CheckDecision, CheckRunner
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused
from restante.mail.address import Mailbox
from restante.store.store_errors import StoreError
from restante.telemetry.events import CheckFailed
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from tests.checks.sample_checks import (
    Broken,
    ContentFilter,
    Undecided,
    Waiting,
)
from tests.delivery.swift_loop import run_swiftly
from tests.log_lines import Lines

DOMAIN = HostedDomain(1, "a.example", "alpha", Destination("192.0.2.1"), AuthorizedHosts(), 0.0)


def ignore(_check: str, _passed: CheckPassed) -> None:
    """Take no note of findings."""


DEFERRED = "451 4.7.1 Cannot examine mail now, try again later"


def client(address: str = "192.0.2.1") -> ClientFacts:
    return ClientFacts(ip_address(address), "c.example", "mx2.example.net")


def recipient(address: str = "192.0.2.1") -> ExaminedRecipient:
    return ExaminedRecipient(client(address), None, Mailbox("one", "a.example"), DOMAIN)


def content(address: str = "192.0.2.1", octets: int = 3) -> ExaminedContent:
    return ExaminedContent(client(address), None, ("one@a.example",), octets)


async def blocks(*octets: bytes) -> AsyncGenerator[bytes, None]:
    for each in octets:
        yield each


class Bench:
    """Runners with one log and a clock that is set."""

    def __init__(self) -> None:
        self.log = Lines()
        self.now = 0.0

    def runner(self, check: Check, **limits: Any) -> CheckRunner:
        return CheckRunner(check, CheckLimits(**limits), self.log, lambda: self.now)


async def decided(
    runner: CheckRunner, answer: CheckDecision | Examination, address: str = "192.0.2.1"
) -> CheckDecision:
    if isinstance(answer, CheckPassed | CheckRefused):
        return answer
    try:
        return await runner.examine(answer, ip_address(address))
    finally:
        answer.close()


@pytest.mark.parametrize(
    "check",
    [
        Undecided,
        lambda: Broken("recipient"),
        lambda: Broken("recipient later"),
        lambda: Waiting(about="recipient"),
    ],
)
@pytest.mark.parametrize("on_failure", OnFailure)
def test_a_failure_accepts_or_defers_and_never_refuses_for_good(
    check: Callable[[], Check], on_failure: OnFailure
) -> None:
    bench, asked = Bench(), check()

    async def ask() -> CheckDecision:
        runner = bench.runner(asked, on_failure=on_failure)
        return await decided(runner, runner.recipient(runner.open(), recipient()))

    decision = run_swiftly(ask())
    if on_failure is OnFailure.ACCEPT:
        assert decision is PASSED
    else:
        assert isinstance(decision, CheckRefused)
        assert str(decision.reply) == DEFERRED
    assert [line["check"] for line in bench.log.of(CheckFailed)] == [asked.name]


def test_a_check_that_cannot_begin_has_failed_for_every_recipient() -> None:
    bench = Bench()

    async def ask() -> CheckDecision:
        runner = bench.runner(Broken("open"), on_failure=OnFailure.DEFER)
        session = runner.open()
        runner.abort(session)
        runner.close(session)
        return await decided(runner, runner.recipient(session, recipient()))

    decision = asyncio.run(ask())
    assert isinstance(decision, CheckRefused)


def test_a_slow_check_is_cut_off_after_its_time_and_the_reason_is_logged() -> None:
    bench, check = Bench(), Waiting()

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        runner = bench.runner(check, seconds=7.0)
        assert (
            await decided(runner, runner.content(runner.open(), content(), blocks(b"abc")))
            is PASSED
        )
        return loop.time() - began

    assert 7.0 <= run_swiftly(ask()) < 8.0
    assert check.cut_short == 1
    assert str(bench.log.of(CheckFailed)[0]["error"]) == "no verdict within 7 s"


def test_the_wait_for_a_slot_counts_against_the_time() -> None:
    bench, check = Bench(), Waiting()

    async def ask() -> list[CheckDecision]:
        runner = bench.runner(check, seconds=5.0, at_once=2)
        addresses = [f"192.0.2.{number}" for number in range(9)]
        return await asyncio.gather(
            *(
                decided(runner, runner.content(runner.open(), content(each), blocks()), each)
                for each in addresses
            )
        )

    assert run_swiftly(ask()) == [PASSED] * 9
    assert check.most_running == 2
    assert check.cut_short == 2  # the others had not begun


def test_one_address_block_keeps_no_check_from_others() -> None:
    bench, check = Bench(), Waiting()

    async def ask() -> int:
        runner = bench.runner(check, at_once=4)

        def ask_from(address: str) -> "asyncio.Future[CheckDecision]":
            answer = runner.content(runner.open(), content(address), blocks())
            return asyncio.ensure_future(decided(runner, answer, address))

        flood = [ask_from("198.51.100.1") for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert check.running == 2
        task = ask_from("192.0.2.1")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running = check.running
        check.may_answer.set()
        await asyncio.gather(task, *flood)
        return running

    assert run_swiftly(ask()) == 3


def test_failures_are_logged_once_a_minute_with_their_number() -> None:
    bench = Bench()
    runner = bench.runner(Undecided())
    session = runner.open()
    for _ in range(5):
        runner.recipient(session, recipient())
    bench.now += FAILURE_LINES_APART
    runner.recipient(session, recipient())
    assert [line["count"] for line in bench.log.of(CheckFailed)] == [1, 5]


def test_content_that_our_store_cannot_read_is_no_failure_of_the_check() -> None:
    async def unreadable() -> AsyncGenerator[bytes, None]:
        yield b"abc"
        raise StoreError("damaged")

    async def ask() -> None:
        runner = Bench().runner(ContentFilter())
        await decided(runner, runner.content(runner.open(), content(), unreadable()))

    with pytest.raises(StoreError):
        asyncio.run(ask())


# --- several checks in a session
