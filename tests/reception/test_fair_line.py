"""A line in which shares take turns, whatever one of them sends."""

from hypothesis import given
from hypothesis import strategies as st

from restante.reception.fair_line import FairLine


def line_of(*entries: str, room: float = 100) -> FairLine[str]:
    """Return a line; the first letter of an entry is its share."""
    line: FairLine[str] = FairLine()
    for entry in entries:
        line.enter(entry[0], entry, room)
    return line


def drained(line: FairLine[str]) -> str:
    """Take out all, in turn."""
    found = []
    while (entry := line.next()) is not None:
        found.append(entry)
    return " ".join(found)


def test_shares_take_turns_and_each_keeps_its_order() -> None:
    assert drained(line_of("a1", "a2", "a3", "b1", "c1", "c2")) == "a1 b1 c1 a2 c2 a3"


def test_in_a_full_line_the_newest_of_the_largest_share_gives_way_to_a_smaller_one() -> None:
    line = line_of("a1", "a2", "a3")
    assert line.enter("b", "b1", 3) == "a3"
    assert line.enter("b", "b2", 3) == "b2"  # it would be as large as the largest
    assert line.enter("a", "a4", 3) == "a4"
    assert drained(line) == "a1 b1 a2"


def test_a_line_without_room_takes_nobody() -> None:
    line = line_of()
    assert line.enter("a", "a1", 0) == "a1"
    assert (len(line), line.next()) == (0, None)


def test_unwanted_entries_are_taken_out() -> None:
    line = line_of("a1", "a2", "b1", "c1")
    assert line.remove(lambda entry: entry in {"a1", "b1"}) == ["a1", "b1"]
    assert len(line) == 2
    assert drained(line) == "a2 c1"


steps = st.lists(st.sampled_from("abcd-") | st.just("a"))


@given(steps, st.integers(0, 6))
def test_nothing_is_lost_or_doubled_and_the_room_is_kept(steps: str, room: int) -> None:
    """An `a` comes more often than the others, and `-` takes one out."""
    line: FairLine[str] = FairLine()
    waiting: list[str] = []
    for number, share in enumerate(steps):
        if share == "-":
            entry = line.next()
            assert (entry is None) is (not waiting)
            waiting = [one for one in waiting if one != entry]
            continue
        waiting.append(f"{share}{number}")
        displaced = line.enter(share, f"{share}{number}", room)
        if displaced is not None:
            waiting.remove(displaced)
        assert len(line) == len(waiting) <= room
    assert sorted(drained(line).split()) == sorted(waiting)


@given(st.integers(1, 30), st.integers(1, 10))
def test_one_share_cannot_keep_another_out(flood: int, room: int) -> None:
    line = line_of(*(f"a{number}" for number in range(flood)), room=room)
    displaced = line.enter("b", "b1", room)
    assert (displaced == "b1") is (room == 1)
    if room > 1:
        assert "b1" in drained(line).split()[:2]
