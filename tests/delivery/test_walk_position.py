"""A walk goes on behind the last message, and an attempt that ends early leaves nothing out."""

from restante.delivery.walk_position import WalkPosition


def at(last_read: int, before: int = 0) -> WalkPosition:
    position = WalkPosition(before)
    position.last_read = last_read
    return position


def test_it_begins_with_the_first_message_and_goes_on_behind_the_last() -> None:
    position = WalkPosition(100)
    assert (position.last_read, position.has_begun) == (100, False)
    position.last_read = 105
    assert position.has_begun
    position.lay_down(set(), is_in_order=True)
    assert position.last_read == 105


def test_the_next_attempt_begins_with_the_first_that_was_not_sent() -> None:
    position = at(9)
    position.lay_down({6, 7}, is_in_order=True)
    assert position.last_read == 5
    assert position.is_untried(8)


def test_out_of_order_only_those_that_were_not_sent_are_taken_up_to_the_last() -> None:
    position = at(9)
    position.lay_down({3, 7}, is_in_order=False)
    assert position.last_read == 2
    assert [place for place in range(1, 12) if position.is_untried(place)] == [3, 7, 10, 11]


def test_an_attempt_that_comes_not_so_far_keeps_those_behind_it() -> None:
    position = at(9)
    position.lay_down({3, 7}, is_in_order=False)
    position.last_read = 3
    position.lay_down(set(), is_in_order=False)
    assert position.last_read == 3
    assert [place for place in range(4, 11) if position.is_untried(place)] == [7, 10]


def test_a_round_begins_at_the_start_although_the_first_message_was_left() -> None:
    position = at(103, before=100)
    position.lay_down({101}, is_in_order=False)
    assert (position.last_read, position.has_begun) == (100, True)
    position.begin_round()
    assert (position.last_read, position.has_begun) == (100, False)
    assert position.is_untried(102)
