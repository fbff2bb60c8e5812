"""A content filter as a check: no answer and no failure of it costs mail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.check import CheckLimits, ExaminedContent
from restante.checks.check_runner import CheckRunner
from restante.checks.filter_answer import FilterAdvice, FilterAnswer, FilterFailed
from restante.checks.filter_breaker import FAILURES_UNTIL_AWAY, FIRST_PAUSE
from restante.checks.filter_check import FilterCheck
from restante.checks.session_checks import SessionChecks
from restante.checks.verdict import CheckPassed, CheckRefused
from restante.store.store_errors import StoreError
from restante.telemetry.events import CheckFailed, FilterAway, FilterBack
from restante.tenancy.policy import HygienePolicy
from tests.checks.filter_facts import blocks_of, content_facts
from tests.delivery.swift_loop import run_swiftly
from tests.log_lines import Lines

ACCEPT, PUT_OFF, REFUSE = FilterAdvice.TAKE, FilterAdvice.PUT_OFF, FilterAdvice.REFUSE
SILENT, TAKEN = None, FilterAnswer(ACCEPT)
NOT_EXAMINED = CheckPassed(("not examined",))
End = FilterAnswer | Exception | None


@dataclass
class Stub:
    """A filter that does what a test wants."""

    end: End = TAKEN
    name: str = "stub"
    is_on: bool = True
    seconds: float = 5.0
    asked: int = 0

    async def ask(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> FilterAnswer:
        self.asked += 1
        async for _ in blocks:
            pass
        if self.end is SILENT:
            await asyncio.Event().wait()
        if isinstance(self.end, Exception):
            raise self.end
        assert self.end is not None
        return self.end


@dataclass
class Bench:
    """A check of a stub, within the bounds of all checks."""

    stub: Stub = field(default_factory=Stub)
    log: Lines = field(default_factory=Lines)
    passed: list[CheckPassed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check = FilterCheck(self.stub, self.log, self._now)
        self.runner = CheckRunner(self.check, CheckLimits(seconds=12.0), self.log, self._now)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def send(
        self,
        *policies: HygienePolicy,
        read: Callable[[], AsyncIterator[bytes]] = blocks_of,
    ) -> CheckRefused | None:
        """Examine a message."""
        session = SessionChecks([self.runner])
        answer = session.content(
            content_facts(*policies),
            read,  # type: ignore[arg-type]
            lambda _check, passed: self.passed.append(passed),
        )
        assert answer is not None
        assert not isinstance(answer, CheckRefused)
        return await answer


ENDS = st.one_of(
    st.builds(
        FilterAnswer,
        st.sampled_from(FilterAdvice),
        st.lists(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=5)).map(tuple),
        st.none() | st.floats(allow_nan=False),
    ),
    st.just(SILENT),
    st.builds(FilterFailed, st.just("no"), is_of_message=st.booleans()),
    st.sampled_from([OSError("gone"), ValueError("a defect"), TimeoutError(), EOFError()]),
)


@given(
    ends=st.lists(ENDS, min_size=1, max_size=8),
    policies=st.lists(st.sampled_from(HygienePolicy), min_size=1, max_size=3),
)
def test_no_answer_ends_in_5xx_and_only_an_answer_ends_in_451(
    ends: list[End], policies: list[HygienePolicy]
) -> None:
    async def send() -> None:
        bench = Bench()
        for end in ends:
            bench.stub.end = end
            refused = await bench.send(*policies)
            if refused is not None:
                assert refused.reply.code == 451
                assert set(policies) == {HygienePolicy.DEFER}
                assert isinstance(end, FilterAnswer)
                assert end.advice is not ACCEPT

    run_swiftly(send())


def test_a_filter_that_is_down_costs_a_wait_only_until_it_counts_as_away() -> None:
    async def send() -> tuple[float, Bench]:
        bench, loop = Bench(Stub(SILENT)), asyncio.get_running_loop()
        began = loop.time()
        for _ in range(FAILURES_UNTIL_AWAY):
            assert await bench.send() is None
        waited = loop.time() - began
        for _ in range(100):
            assert await bench.send() is None
        assert loop.time() - began - waited < 1
        return waited, bench

    waited, bench = run_swiftly(send())
    assert waited == pytest.approx(FAILURES_UNTIL_AWAY * 5.0, abs=1)
    assert bench.stub.asked == FAILURES_UNTIL_AWAY
    assert bench.passed == [NOT_EXAMINED] * 103
    [away] = bench.log.of(FilterAway)
    assert (away["check"], away["reason"]) == ("stub", "no answer within 5 s")
    assert bench.log.of(CheckFailed)


def test_the_first_answer_ends_the_outage() -> None:
    async def send() -> Bench:
        bench = Bench(Stub(OSError(111, "Connection refused")))
        for _ in range(FAILURES_UNTIL_AWAY + 1):
            assert await bench.send() is None
        bench.stub.end = FilterAnswer(REFUSE, ("reject",))
        assert await bench.send() is None  # not asked
        await asyncio.sleep(FIRST_PAUSE)
        assert await bench.send() is not None
        assert await bench.send() is not None
        return bench

    bench = run_swiftly(send())
    assert [line["reason"] for line in bench.log.of(FilterAway)] == ["Connection refused"]
    assert [line["seconds"] for line in bench.log.of(FilterBack)] == [
        pytest.approx(FIRST_PAUSE, abs=1)
    ]


def test_changed_settings_are_tried_at_once() -> None:
    async def send() -> None:
        bench = Bench(Stub(FilterFailed("it answers 500")))
        for _ in range(FAILURES_UNTIL_AWAY):
            await bench.send()
        bench.stub.end = FilterAnswer(REFUSE)
        assert await bench.send() is None
        bench.check.settings_changed()
        assert await bench.send() is not None

    run_swiftly(send())


def test_messages_that_it_cannot_examine_do_not_count_as_an_outage() -> None:
    async def send() -> Bench:
        bench = Bench(Stub(FilterFailed("it answers 413", is_of_message=True)))
        for _ in range(10):
            assert await bench.send() is None
        return bench

    bench = run_swiftly(send())
    assert (bench.stub.asked, bench.log.of(FilterAway)) == (10, [])


def test_content_that_our_store_cannot_read_is_no_failure_of_the_filter() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise StoreError("disk")

    async def send() -> None:
        bench = Bench()
        with pytest.raises(StoreError):
            await bench.send(read=broken)
        assert bench.log.of(CheckFailed) == []

    run_swiftly(send())


def test_a_client_that_leaves_while_it_probes_blocks_no_later_probe() -> None:
    async def send() -> None:
        bench = Bench(Stub(OSError("gone")))
        for _ in range(FAILURES_UNTIL_AWAY):
            await bench.send()
        await asyncio.sleep(FIRST_PAUSE)
        bench.stub.end = SILENT
        sending = asyncio.create_task(bench.send())
        await asyncio.sleep(1)
        sending.cancel()
        await asyncio.wait([sending])
        bench.stub.end = FilterAnswer(REFUSE)
        assert await bench.send() is not None

    run_swiftly(send())


def test_it_is_not_asked_about_mail_for_domains_without_hygiene_or_while_it_is_off() -> None:
    async def send() -> None:
        bench = Bench(Stub(FilterAnswer(REFUSE)))
        assert await bench.send(HygienePolicy.OFF) is None
        assert bench.stub.asked == 0
        assert (bench.runner.is_on, bench.runner.reads_content) == (True, True)
        bench.stub.is_on = False
        assert (bench.runner.is_on, bench.runner.reads_content) == (False, False)

    run_swiftly(send())
