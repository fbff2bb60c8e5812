"""The checks of one session: their order, their waits, and their findings."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from restante.checks.check import Check, ExaminedRecipient
from restante.checks.session_checks import SessionChecks
from restante.checks.verdict import CheckPassed, CheckRefused
from tests.checks.sample_checks import (
    INFECTED,
    LISTED,
    AddressList,
    Broken,
    ContentFilter,
    Milter,
    Waiting,
)
from tests.checks.test_check_runner import Bench, blocks, content, ignore, recipient
from tests.delivery.swift_loop import run_swiftly


def session_of(bench: Bench, *checks: Check, **limits: Any) -> SessionChecks:
    return SessionChecks([bench.runner(check, **limits) for check in checks])


def test_the_first_refusal_in_the_order_of_the_checks_counts() -> None:
    async def ask() -> CheckRefused | None:
        slow = Waiting(about="content", verdict=LISTED)
        checks = session_of(Bench(), slow, ContentFilter())
        examination = checks.content(content(octets=5), lambda: blocks(b"EICAR"), ignore)
        assert isinstance(examination, Coroutine)
        task = asyncio.ensure_future(examination)
        await asyncio.sleep(0)
        slow.may_answer.set()
        return await task

    refused = run_swiftly(ask())
    assert refused is not None
    assert (refused.reply, refused.reason) == (LISTED.reply, "check waiting: list.example")


def test_checks_wait_at_the_same_time() -> None:
    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slow = [Waiting(name=f"slow{number}") for number in range(5)]
        checks = session_of(Bench(), *slow, seconds=10.0)
        examination = checks.content(content(), blocks, ignore)
        assert isinstance(examination, Coroutine)
        assert await examination is None
        return loop.time() - began

    assert run_swiftly(ask()) < 11.0


def test_findings_are_gathered_and_a_check_without_interest_is_not_awaited() -> None:
    found: list[tuple[str, CheckPassed]] = []

    async def ask() -> None:
        checks = session_of(Bench(), ContentFilter(), AddressList())
        examination = checks.content(
            content(octets=500), lambda: blocks(b"x" * 500), lambda *one: found.append(one)
        )
        assert isinstance(examination, Coroutine)
        assert await examination is None

    asyncio.run(ask())
    assert [(name, passed.notes) for name, passed in found] == [("filter", ("HAS_SIZE",))]
    assert not session_of(Bench(), AddressList()).read_content


def test_a_refusal_from_memory_does_not_wait_for_others() -> None:
    class Immediate(Broken):
        name = "immediate"

        def recipient(self, facts: ExaminedRecipient) -> CheckPassed | CheckRefused:
            return INFECTED

    bench = Bench()
    checks = session_of(bench, Broken("recipient later"), Immediate())
    answer = checks.recipient(recipient(), ignore)
    assert isinstance(answer, CheckRefused)
    assert bench.log.lines == []


def test_a_check_that_answers_from_memory_needs_no_task() -> None:
    class Known(Broken):
        name = "known"

        def recipient(self, facts: ExaminedRecipient) -> CheckPassed:
            return CheckPassed(("KNOWN",))

    found: list[tuple[str, CheckPassed]] = []
    checks = session_of(Bench(), Known())
    assert checks.recipient(recipient(), lambda *one: found.append(one)) is None
    assert found == [("known", CheckPassed(("KNOWN",)))]


def test_without_checks_nothing_is_examined() -> None:
    checks = session_of(Bench())
    assert not checks.read_content
    assert checks.recipient(recipient(), ignore) is None
    assert checks.content(content(), blocks, ignore) is None


def test_each_check_is_told_of_the_end_of_a_transaction_and_of_the_session() -> None:
    milters = [Milter(), Milter()]
    checks = session_of(Bench(), *milters)
    checks.abort()
    checks.close()
    assert [milter.sessions for milter in milters] == [[["open", "abort", "close"]]] * 2
