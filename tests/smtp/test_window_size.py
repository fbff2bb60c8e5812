"""The window: as much as runs ahead, by the server's pace."""

import pytest

from restante.smtp.window_size import (
    FEWEST_MESSAGES,
    MOST_MESSAGES,
    MOST_OCTETS,
    SendWindow,
    WindowPace,
)


def settle(pace: WindowPace, seconds: float) -> int:
    """Send a full window, which takes so long; return its messages."""
    messages = pace.most
    pace.settle(messages)
    pace.adapt(seconds, is_whole=True)
    return messages


def test_the_window_grows_while_the_server_is_quick_and_takes_all() -> None:
    pace = WindowPace()
    for _ in range(3):
        settle(pace, 0.1)
    assert pace.messages == MOST_MESSAGES
    pace.adapt(9.0, is_whole=True)
    assert pace.messages == MOST_MESSAGES // 2
    pace.adapt(0.1, is_whole=False)
    assert pace.messages == MOST_MESSAGES // 4
    pace.start_again()
    assert pace.messages == FEWEST_MESSAGES


@pytest.mark.parametrize(
    ("seconds", "windows"),
    [
        (0.0, [1, 2, 16, 64, 64]),
        (0.1, [1, 2, 16, 64, 64]),  # a round trip, mostly
        (0.5, [1, 2, 8, 32, 64]),
        (1.5, [1, 2, 4, 8, 16]),  # one message may need as long
        (2.5, [1, 2, 4, 4, 4]),
    ],
)
def test_a_window_is_as_large_as_would_be_quick_by_the_time_of_the_last(
    seconds: float, windows: list[int]
) -> None:
    pace = WindowPace(0)
    assert [settle(pace, seconds) for _ in windows] == windows


def test_what_was_proven_is_used_at_once() -> None:
    assert WindowPace(64, 32).most == 32
    assert WindowPace(0, 32).most == 1
    assert WindowPace(1, 32).most == 2


def test_after_a_loss_the_windows_begin_small_and_only_double() -> None:
    pace = WindowPace(64, 64)
    pace.start_again()
    assert [settle(pace, 0.1) for _ in range(4)] == [4, 8, 16, 32]


def test_the_time_of_a_window_of_few_messages_says_nothing_of_the_server() -> None:
    pace = WindowPace(0)
    settle(pace, 0.2)
    settle(pace, 0.1)
    assert (pace.quickest_seconds, pace.large_seconds) == (0.1, 0.0)
    settle(pace, 0.3)
    assert (pace.quickest_seconds, pace.large_seconds) == (0.1, 0.3)
    pace.adapt(0.9, is_whole=False)
    assert pace.large_seconds == 0.3


def test_a_server_that_is_not_known_gets_one_message_then_two_then_many() -> None:
    pace, taken = WindowPace(0), list[int]()
    window = SendWindow(pace)
    for _ in range(4):
        taken.append(0)
        while window.has_room:
            window.take(1)
            taken[-1] += 1
        window.empty()
        pace.adapt(0.1, is_whole=True)
    assert taken == [1, 2, 16, 64]


def test_a_server_of_small_windows_is_found_out_after_three() -> None:
    pace = WindowPace(0)
    for _ in range(3):
        assert pace.is_finding_out
        pace.settle(1)
    assert not pace.is_finding_out
    assert pace.is_trying


def test_the_window_takes_so_many_octets_and_always_one_message() -> None:
    window = SendWindow(WindowPace())
    window.take(MOST_OCTETS + 1)
    assert not window.has_room
    window.empty()
    assert window.has_room


def test_a_slow_server_keeps_the_smallest_window() -> None:
    pace = WindowPace()
    for seconds in (9.0, 9.0, 3.0):
        pace.adapt(seconds, is_whole=True)
        assert pace.messages == FEWEST_MESSAGES


def test_a_window_takes_as_many_messages_as_the_pace_allows() -> None:
    window = SendWindow(WindowPace())
    for _ in range(FEWEST_MESSAGES):
        assert window.has_room
        window.take(1)
    assert not window.has_room


def test_the_turn_is_the_number_that_had_their_replies_together() -> None:
    pace = WindowPace()
    assert pace.together == 1
    settle(pace, 1.5)
    assert (pace.together, pace.messages) == (FEWEST_MESSAGES, 2 * FEWEST_MESSAGES)
