"""An answer without a turnaround leaves the connection as it is."""

from restante.release.release_outcome import Refused
from restante.release.turn_answer import TurnAnswer


def test_an_answer_has_no_turnaround_unless_one_is_granted() -> None:
    assert TurnAnswer(Refused("a.example", "unknown")).turnaround is None
