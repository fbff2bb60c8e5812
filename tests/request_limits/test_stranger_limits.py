"""Strangers on the web: a share of each block, one of all, and none for known blocks."""

from restante.request_limits.stranger_limits import (
    IN_ALL_A_SECOND,
    IN_ALL_AT_ONCE,
    MOST_COUNTED,
    MOST_KNOWN,
    OF_BLOCK_A_SECOND,
    OF_BLOCK_AT_ONCE,
    StrangerLimits,
)


def served(limits: StrangerLimits, blocks: range, now: float) -> int:
    return sum(limits.allows(block, now) for block in blocks)


def one_block(limits: StrangerLimits, tries: int, now: float) -> int:
    return sum(limits.allows(1, now) for _ in range(tries))


def test_a_block_has_some_at_once_and_then_some_a_second() -> None:
    limits = StrangerLimits()
    assert one_block(limits, 1000, 0.0) == OF_BLOCK_AT_ONCE
    assert limits.turns_away(1, 0.0)
    assert one_block(limits, 1000, 10.0) == 10 * OF_BLOCK_A_SECOND
    assert one_block(limits, 1000, 1e6) == OF_BLOCK_AT_ONCE


def test_many_blocks_have_some_in_all() -> None:
    limits = StrangerLimits()
    assert served(limits, range(5000), 0.0) == IN_ALL_AT_ONCE
    assert served(limits, range(5000), 2.0) == 2 * IN_ALL_A_SECOND


def test_a_flood_from_many_blocks_has_its_connections_closed() -> None:
    limits = StrangerLimits()
    served(limits, range(5000), 0.0)
    assert limits.turns_away(4999, 0.0)
    assert not limits.turns_away(5000, 0.0)  # it asked for nothing, or for health pages alone
    assert not limits.turns_away(4999, 1.0)


def test_a_refused_request_costs_its_block_nothing() -> None:
    limits = StrangerLimits()
    served(limits, range(2, 5000), 0.0)
    assert one_block(limits, 1000, 0.0) == 0
    assert one_block(limits, 1, 1.0) == 1


def test_a_block_that_was_proved_is_no_stranger() -> None:
    limits = StrangerLimits()
    one_block(limits, 1000, 0.0)
    limits.prove(1)
    assert not limits.turns_away(1, 0.0)
    assert one_block(limits, 1000, 0.0) == 1000
    assert served(limits, range(2, 5000), 0.0) == IN_ALL_AT_ONCE - OF_BLOCK_AT_ONCE


def test_a_block_that_never_asked_is_welcome() -> None:
    assert not StrangerLimits().turns_away(1, 0.0)


def test_memory_is_bounded() -> None:
    limits = StrangerLimits()
    for block in range(MOST_COUNTED + 1):
        limits.allows(block, 1e6 * block)
    for block in range(MOST_KNOWN + 1):
        limits.prove(1_000_000 + block)
    kept = limits.allows(0, 1e12), limits.allows(1_000_000 + MOST_KNOWN, 1e12)
    assert kept == (True, True)
    assert len(limits._blocks) <= MOST_COUNTED
    assert len(limits._known) == MOST_KNOWN
