"""The reply to ATRN for each outcome."""

import pytest

from restante.release.atrn import atrn_reply
from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    NotAuthenticated,
    NothingHeld,
    Refused,
    ReleaseOutcome,
)


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (Granted("a.example", 3, ""), "250 2.0.0 OK now reversing the connection"),
        (NothingHeld("a.example", ""), "453 4.2.0 You have no mail"),
        (NothingHeld("a.example", "", is_positive_wanted=True), "453 4.2.0 You have no mail"),
        (Refused("a.example", "unknown"), "450 4.7.1 ATRN request refused"),
        (Refused("b.example", "another's"), "450 4.7.1 ATRN request refused"),
        (
            CannotNow("a.example", "", suspensions=("a.example: x",)),
            "451 4.3.2 Unable to process ATRN request now",
        ),
        (CannotNow("a.example", "store"), "451 4.3.0 Unable to process ATRN request now"),
        (NotAuthenticated(""), "530 5.7.0 Authentication required"),
        (
            NotATarget(is_missing=False),
            "501 5.5.4 Argument is not a list of domains, @domain or #name with commas between",
        ),
    ],
)
def test_each_outcome_has_its_reply(outcome: ReleaseOutcome, reply: str) -> None:
    assert str(atrn_reply(outcome)) == reply
