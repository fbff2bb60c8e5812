"""Which outcomes of a release confirm it, and how many messages each releases."""

import pytest

from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    NotAuthenticated,
    NothingHeld,
    Refused,
    ReleaseOutcome,
    is_confirmed,
    pending_messages,
    suspensions_of,
)

TARGET = "a.example"


@pytest.mark.parametrize(
    ("outcome", "confirmed", "pending"),
    [
        (Granted(TARGET, 3, "its own"), True, 3),
        (NothingHeld(TARGET, "its own"), True, 0),
        (NothingHeld(TARGET, "its own", is_positive_wanted=True), True, 0),
        (Refused(TARGET, "another account's"), False, 0),
        (NotAuthenticated("no login"), False, 0),
        (CannotNow(TARGET, "the store is away"), False, 0),
        (CannotNow(TARGET, "the release could not be recorded", 2), False, 2),
        (NotATarget(is_missing=True), False, 0),
    ],
)
def test_each_outcome(outcome: ReleaseOutcome, confirmed: bool, pending: int) -> None:
    assert is_confirmed(outcome) is confirmed
    assert pending_messages(outcome) == pending


def test_domains_that_were_left_out_are_named_apart_from_the_reason() -> None:
    left_out = ("b.example is suspended: unpaid",)
    assert suspensions_of(Granted(TARGET, 3, "its own", suspensions=left_out)) == left_out
    assert suspensions_of(NothingHeld(TARGET, "its own", suspensions=left_out)) == left_out
    assert suspensions_of(CannotNow(TARGET, "why", suspensions=left_out)) == left_out
    assert suspensions_of(Refused(TARGET, "b.example is suspended: unpaid")) == ()
