"""The states and ends of a drain, for machines and for people."""

import pytest

from restante.queue.drain_word import DrainEnd, DrainState


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("waiting-turn", "waiting its turn"),
        ("looking-up", "looking up the destination"),
        ("delivering", "delivering"),
        ("waiting-to-retry", "waiting to retry"),
        ("unclaimed", "waiting for a server"),
    ],
)
def test_people_read_what_a_drain_does(word: str, text: str) -> None:
    assert DrainState(word).text == text


def test_people_read_how_a_drain_ended() -> None:
    assert [end.text for end in DrainEnd] == ["finished", "given up", "refused", "stopped"]
