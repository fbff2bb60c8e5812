"""One deadline that moves often, on a clock that the tests move."""

import gc
import math
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.delivery.deadline import Deadline
from tests.delivery.manual_loop import ManualLoop


class Scene:
    def __init__(self) -> None:
        self.loop = ManualLoop()
        self.passed: list[float] = []
        self.deadline = Deadline(self.loop.as_loop, lambda: self.passed.append(self.loop.now))


def test_it_calls_once_when_it_has_passed() -> None:
    scene = Scene()
    scene.deadline.move(10.0)
    scene.loop.advance(9.0)
    assert scene.passed == []
    scene.loop.advance(100.0)
    assert scene.passed == [10.0]


def test_a_thousand_moves_to_later_cost_two_timers() -> None:
    scene = Scene()
    for second in range(1000):
        scene.loop.now = second / 1000
        scene.deadline.move(10.0)
    scene.loop.advance(100.0)
    assert scene.passed == [10.999]
    assert scene.loop.armed == 2


def test_moved_to_earlier_it_calls_at_that_time_and_not_again() -> None:
    scene = Scene()
    scene.deadline.move(300.0)
    scene.deadline.move(5.0)
    scene.loop.advance(1000.0)
    assert scene.passed == [5.0]


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_cancelled_or_moved_to_never_it_does_not_call(is_cancelled: bool) -> None:
    scene = Scene()
    scene.deadline.move(5.0)
    if is_cancelled:
        scene.deadline.cancel()
        scene.deadline.move(1.0)
    else:
        scene.deadline.move(math.inf)
    scene.loop.advance(1000.0)
    assert scene.passed == []


def test_a_cancelled_deadline_keeps_its_owner_no_longer() -> None:
    class Owner:
        def late(self) -> None:
            raise AssertionError

    owner = Owner()
    deadline, watch = Deadline(ManualLoop().as_loop, owner.late), weakref.ref(owner)
    deadline.cancel()
    del owner
    gc.collect()
    assert watch() is None


@given(
    st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 50.0) | st.just(math.inf)), min_size=1)
)
def test_however_it_moves_it_calls_at_the_time_of_a_move_that_was_the_latest(
    moves: list[tuple[float, float]],
) -> None:
    scene, expected, due = Scene(), list[float](), math.inf
    for pause, seconds in moves:
        until = scene.loop.now + pause
        if due <= until:
            expected.append(due)
            due = math.inf
        scene.loop.advance(until)
        assert scene.passed == pytest.approx(expected)
        scene.deadline.move(seconds)
        assert scene.deadline.moved_at == scene.loop.now
        due = scene.loop.now + seconds
    scene.loop.advance(1000.0 + scene.loop.now)
    assert scene.passed == pytest.approx(expected + ([due] if due < math.inf else []))
