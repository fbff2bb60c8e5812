"""The walk of a search over numbered rows, one slice after the other."""

from restante.store.slice_walk import RowSlice, SliceWalk


def test_the_first_slice_is_everything() -> None:
    walk = SliceWalk(1, 1000, 5, ends_at=9.0)
    assert walk.next_slice() == RowSlice(1, 1000, 5)
    walk.go_on(2, now=0.0)
    assert walk.next_slice() is None
    assert walk.last_read is None


def test_a_slice_that_took_too_long_is_read_again_in_narrower_ones() -> None:
    walk = SliceWalk(1, 160, 5, ends_at=9.0)
    walk.give_up()
    assert walk.next_slice() == RowSlice(1, 10, 5)
    walk.go_on(3, now=0.0)
    assert walk.next_slice() == RowSlice(11, 50, 2)


def test_downwards_the_slices_come_from_the_end() -> None:
    walk = SliceWalk(1, 160, 5, ends_at=9.0, is_down=True)
    walk.give_up()
    assert walk.next_slice() == RowSlice(151, 160, 5)
    walk.go_on(0, now=0.0)
    assert walk.next_slice() == RowSlice(111, 150, 5)


def test_one_row_cannot_be_narrower() -> None:
    walk = SliceWalk(7, 8, 5, ends_at=9.0)
    walk.give_up()
    walk.give_up()
    part = walk.next_slice()
    assert part == RowSlice(7, 7, 5)
    assert part.is_one_row


def test_after_its_time_it_tells_how_far_it_came() -> None:
    for is_down, reached in ((False, 10), (True, 151)):
        walk = SliceWalk(1, 160, 5, ends_at=9.0, is_down=is_down)
        walk.give_up()
        walk.next_slice()
        walk.go_on(1, now=9.0)
        assert walk.next_slice() is None
        assert walk.last_read == reached


def test_a_search_that_found_enough_has_nothing_left_to_say() -> None:
    walk = SliceWalk(1, 160, 5, ends_at=9.0)
    walk.give_up()
    walk.next_slice()
    walk.go_on(5, now=9.0)
    assert walk.next_slice() is None
    assert walk.last_read is None
