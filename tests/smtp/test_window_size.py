"""The window: as much as runs ahead, by the server's pace."""

from restante.smtp.window_size import (
    FEWEST_MESSAGES,
    MOST_MESSAGES,
    MOST_OCTETS,
    SendWindow,
    WindowPace,
)


def test_the_window_grows_while_the_server_is_quick_and_takes_all() -> None:
    pace = WindowPace()
    for _ in range(9):
        pace.adapt(0.1, is_whole=True)
    assert pace.messages == MOST_MESSAGES
    pace.adapt(9.0, is_whole=True)
    assert pace.messages == MOST_MESSAGES // 2
    pace.adapt(0.1, is_whole=False)
    assert pace.messages == MOST_MESSAGES // 4
    pace.start_again()
    assert pace.messages == FEWEST_MESSAGES


def test_a_server_that_is_not_known_gets_one_message_then_twice_what_it_answered() -> None:
    pace, taken = WindowPace(0), list[int]()
    window = SendWindow(pace)
    for _ in range(6):
        taken.append(0)
        while window.has_room:
            window.take(1)
            taken[-1] += 1
        window.empty()
        pace.adapt(0.1, is_whole=True)
    assert taken == [1, 2, 4, 8, 16, 32]


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
    pace.adapt(0.1, is_whole=True)
    assert (pace.together, pace.messages) == (FEWEST_MESSAGES, 2 * FEWEST_MESSAGES)
