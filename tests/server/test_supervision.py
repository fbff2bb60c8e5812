"""When workers are started and started again: decisions alone."""

import pytest

from restante.server.supervision import (
    ABORT_AT,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LOOK_SECONDS,
    START_LOOKS,
    STEADY,
    STOP_PATIENCE,
    Step,
    WorkerOrder,
    WorkerPhase,
    WorkerSupervision,
)

START, RELOAD, STOP, ABORT, KILL = WorkerOrder


def serving(workers: int = 3) -> WorkerSupervision:
    """Return a supervision whose workers all serve since 0."""
    made = WorkerSupervision(workers, 0.0)
    for _ in range(2):
        for number, _ in made.due(0.0):
            made.ready(number, 0.0)
    return made


def test_the_first_worker_starts_alone_and_then_the_others() -> None:
    made = WorkerSupervision(3, 0.0)
    assert made.due(0.0) == [(1, START)]
    assert made.due(1.0) == []
    assert made.next_at() == LOOK_SECONDS
    assert made.ready(1, 1.0) == []
    assert made.next_at() == 1.0
    assert made.due(1.0) == [(2, START), (3, START)]


@pytest.mark.parametrize(("code", "whole"), [(78, 78), (69, 69), (75, 75), (0, 0), (-9, 75)])
def test_a_start_fails_as_its_first_worker_does(code: int, whole: int) -> None:
    made = WorkerSupervision(2, 0.0)
    made.due(0.0)
    assert made.ended(1, code, 0.5) is None
    assert made.exit_code == whole
    assert made.due(100.0) == []


def test_a_worker_that_was_killed_is_started_again_and_the_others_are_left_alone() -> None:
    made = serving()
    assert made.ended(2, -9, 10.0) == FIRST_PAUSE
    assert made.phase(2) is WorkerPhase.WAITING
    assert made.due(10.0) == []
    assert made.next_at() == 10.0 + FIRST_PAUSE
    assert made.due(10.0 + FIRST_PAUSE) == [(2, START)]
    assert made.exit_code is None


def test_pauses_grow_and_are_bounded() -> None:
    made, now, pauses = serving(), 1.0, []
    for _ in range(12):
        pause = made.ended(2, 75, now)
        assert pause is not None
        pauses.append(pause)
        now += pause
        made.lives(1)
        made.lives(3)
        assert made.due(now) == [(2, START)]
    assert pauses == sorted(pauses)
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_worker_that_served_for_long_starts_at_once_again() -> None:
    made = serving()
    for _ in range(5):
        made.ended(2, 75, 1.0)
    made.due(100.0)
    made.ready(2, 100.0)
    assert made.ended(2, 75, 100.0 + STEADY) == FIRST_PAUSE


@pytest.mark.parametrize("code", [0, 64, 65, 77, 78])
def test_a_worker_that_was_retired_or_cannot_start_stays_out(code: int) -> None:
    made = serving(2)
    assert made.ended(2, code, 5.0) is None
    assert made.phase(2) is WorkerPhase.OUT
    assert made.exit_code is None
    made.ended(1, 0, 6.0)
    assert made.exit_code == code


def test_a_stop_ends_all_and_starts_none() -> None:
    made = serving()
    made.ended(3, -11, 1.0)
    assert made.stop(2.0) == [(1, STOP), (2, STOP)]
    assert made.ended(1, 0, 3.0) is None
    assert made.due(20.0) == []
    assert made.next_at() == 2.0 + STOP_PATIENCE
    assert made.stop(30.0) == [(2, STOP)]  # asked again: it does not move the end
    assert made.due(2.0 + STOP_PATIENCE) == [(2, KILL)]
    assert made.ended(2, -9, 60.0) is None
    assert made.exit_code == 75


def test_a_stop_in_good_order_has_the_exit_code_0() -> None:
    made = serving(2)
    made.stop(1.0)
    made.ended(1, 0, 2.0)
    made.ended(2, 0, 2.0)
    assert (made.exit_code, made.next_at()) == (0, None)


def test_a_stop_before_anything_started_is_an_end() -> None:
    made = WorkerSupervision(2, 0.0)
    assert made.stop(0.0) == []
    assert made.exit_code == 0


def test_a_reload_reaches_each_worker_once() -> None:
    made = serving()
    made.ended(2, -9, 1.0)
    assert made.reload() == [(1, RELOAD), (3, RELOAD)]
    assert made.due(2.0) == [(2, START)]
    assert made.reload() == [(1, RELOAD), (3, RELOAD)]
    assert made.ready(2, 3.0) == [(2, RELOAD)]
    made.ended(2, -9, 4.0)
    made.due(5.0)
    assert made.ready(2, 6.0) == [(2, RELOAD)]


def test_without_a_reload_nobody_is_told_to() -> None:
    made = serving()
    made.ended(1, -9, 1.0)
    made.due(2.0)
    assert made.ready(1, 3.0) == []


def looks(made: WorkerSupervision, numbers: range, *lively: int) -> list[list[Step]]:
    """Let the supervisor look at these times; return its steps. `lively` give signs of life."""
    steps = []
    for number in numbers:
        for worker in lively:
            made.lives(worker)
        steps.append(list(made.due(number * LOOK_SECONDS)))
    return steps


def test_a_worker_that_hangs_is_aborted_then_killed_and_then_started_again() -> None:
    made = serving()
    assert looks(made, range(1, ABORT_AT), 1, 3) == [[]] * (ABORT_AT - 1)
    assert not made.hangs(2)
    assert looks(made, range(ABORT_AT, ABORT_AT + 2), 1, 3) == [[(2, ABORT)], [(2, KILL)]]
    assert [made.hangs(number) for number in (1, 2, 3)] == [False, True, False]
    assert made.ended(2, -9, 200.0) is not None
    assert not made.hangs(2)


def test_a_sign_of_life_at_the_last_moment_counts() -> None:
    made = serving()
    looks(made, range(1, ABORT_AT), 1, 3)
    assert looks(made, range(ABORT_AT, 2 * ABORT_AT - 1), 1, 2, 3) == [[]] * (ABORT_AT - 1)


def test_a_jump_of_the_clock_is_one_look() -> None:
    """A machine that was suspended for a day: no worker could give a sign."""
    made = serving()
    assert made.due(86_400.0) == []
    assert made.next_at() == 86_400.0 + LOOK_SECONDS


def test_a_worker_that_hangs_before_it_is_ready_is_started_again_too() -> None:
    made = serving()
    made.ended(2, -9, 0.0)
    assert made.due(FIRST_PAUSE) == [(2, START)]
    assert looks(made, range(1, START_LOOKS), 1, 2, 3) == [[]] * (START_LOOKS - 1)
    ends = range(START_LOOKS, START_LOOKS + 2)
    assert looks(made, ends, 1, 3) == [[(2, ABORT)], [(2, KILL)]]
    assert made.hangs(2)
    assert made.ended(2, -9, 1000.0) is not None
    assert not made.hangs(2)


def test_a_first_worker_that_hangs_ends_the_start() -> None:
    made = WorkerSupervision(2, 0.0)
    made.due(0.0)
    assert looks(made, range(1, START_LOOKS + 1))[-1] == [(1, ABORT)]
    assert made.ended(1, -6, 1000.0) is None
    assert made.exit_code == 75


def test_a_worker_that_has_started_has_as_long_as_any_other() -> None:
    made = WorkerSupervision(1, 0.0)
    made.due(0.0)
    looks(made, range(1, START_LOOKS))
    made.ready(1, 1.0)
    ends = range(START_LOOKS, START_LOOKS + ABORT_AT)
    assert looks(made, ends) == [[]] * (ABORT_AT - 1) + [[(1, ABORT)]]


def test_workers_that_stop_are_not_looked_for() -> None:
    stopping = serving()
    stopping.stop(0.0)
    assert stopping.due(STOP_PATIENCE - 1.0) == []
    assert stopping.next_at() == STOP_PATIENCE
