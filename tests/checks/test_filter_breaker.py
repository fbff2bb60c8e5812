"""When a filter that fails is asked again."""

from hypothesis import given
from hypothesis import strategies as st

from restante.checks.filter_breaker import (
    FAILURES_UNTIL_AWAY,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    FilterBreaker,
    FilterTurn,
)

ASK, PROBE, SKIP = FilterTurn.ASK, FilterTurn.PROBE, FilterTurn.SKIP


def away(at: float = 0.0) -> FilterBreaker:
    breaker = FilterBreaker()
    found = [breaker.failed(breaker.turn(at), at) for _ in range(FAILURES_UNTIL_AWAY)]
    assert found == [False] * (FAILURES_UNTIL_AWAY - 1) + [True]
    return breaker


def test_a_filter_is_away_after_failures_in_a_row_only() -> None:
    breaker = FilterBreaker()
    for _ in range(10):
        assert not breaker.failed(ASK, 0.0)
        assert not breaker.failed(ASK, 0.0)
        assert breaker.answered(0.0) is None
        assert breaker.turn(0.0) is ASK
    assert not breaker.is_away
    assert away().is_away


def test_while_it_is_away_one_message_at_a_time_asks_after_a_growing_pause() -> None:
    breaker, now, pause = away(), 0.0, FIRST_PAUSE
    for _ in range(10):
        assert breaker.turn(now + pause - 0.1) is SKIP
        now += pause
        assert breaker.turn(now) is PROBE
        assert breaker.turn(now) is SKIP
        assert not breaker.failed(PROBE, now)
        pause = min(2 * pause, LONGEST_PAUSE)
    assert breaker.turn(now + pause) is PROBE
    assert breaker.answered(now + pause) == now + pause
    assert breaker.turn(now + pause) is ASK
    assert not breaker.failed(ASK, now)  # the failures are counted from zero


def test_a_message_whose_client_leaves_gives_its_turn_back() -> None:
    breaker = away()
    assert breaker.turn(FIRST_PAUSE) is PROBE
    breaker.give_back(PROBE)
    assert breaker.turn(FIRST_PAUSE) is PROBE


def test_late_failures_of_messages_that_asked_before_it_was_away_change_nothing() -> None:
    breaker = away()
    assert not breaker.failed(ASK, 4.0)
    assert breaker.turn(FIRST_PAUSE) is PROBE


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["answer", "fail", "leave"]))))
def test_a_filter_is_always_asked_again(steps: list[tuple[float, str]]) -> None:
    breaker, now = FilterBreaker(), 0.0
    for wait, end in steps:
        now += wait
        turn = breaker.turn(now)
        if turn is SKIP:
            continue
        if end == "answer":
            breaker.answered(now)
        elif end == "fail":
            breaker.failed(turn, now)
        breaker.give_back(turn)
    assert breaker.turn(now + LONGEST_PAUSE) is not SKIP
