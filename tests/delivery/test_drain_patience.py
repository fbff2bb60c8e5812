"""When a drain tries again: by the end of its last attempt, and by its deadline."""

import pytest

from restante.delivery.attempt_end import AttemptEnd, AttemptKind
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.drain_patience import DrainPatience

SETTINGS = DeliverySettings(first_retry=10.0, longest_retry=1000.0, patience=5000.0)
STOPPED = AttemptEnd(AttemptKind.STOPPED, "it closed")


def patience(deadline: float = 100_000.0) -> DrainPatience:
    return DrainPatience(deadline, lambda: SETTINGS, lambda: 0.5)


def pauses(drain: DrainPatience, *ends: AttemptEnd) -> list[float | None]:
    return [drain.next_attempt(end, 0.0) for end in ends]


def test_pauses_grow_with_each_failure() -> None:
    first, second, third = pauses(patience(), STOPPED, STOPPED, STOPPED)
    assert (first or 0.0) < (second or 0.0) < (third or 0.0)


def test_they_begin_again_where_mail_got_through() -> None:
    got_through = AttemptEnd(AttemptKind.STOPPED, "it closed", delivered=3)
    first, _, again = pauses(patience(), STOPPED, STOPPED, got_through)
    assert again == first


def test_they_begin_again_where_the_customer_asks() -> None:
    drain = patience()
    first, _ = pauses(drain, STOPPED, STOPPED)
    drain.restart_pauses()
    assert pauses(drain, STOPPED) == [first]


def test_after_many_refused_clients_a_pause_is_longer_and_patience_the_same() -> None:
    drain = patience(300.0)
    end = AttemptEnd(AttemptKind.REFUSED_CLIENTS, "554 no", wait=60.0)
    assert pauses(drain, end, end, end, end, end) == [60.0, 60.0, 60.0, 80.0, 160.0]
    assert pauses(drain, end) == [None]
    assert drain.deadline == 300.0
    assert pauses(patience(59.0), end) == [None]


def test_a_pause_beyond_the_deadline_is_the_end() -> None:
    assert pauses(patience(5.0), STOPPED) == [None]


def test_patience_only_grows() -> None:
    drain = patience(100.0)
    drain.last_until(50.0)
    assert drain.deadline == 100.0
    drain.last_until(200.0)
    assert drain.deadline == 200.0


def test_a_limit_per_minute_is_no_failure_and_gives_new_patience() -> None:
    drain = patience(5.0)
    assert drain.next_attempt(AttemptEnd(AttemptKind.PACED, "", wait=40.0), 0.0) == 40.0
    assert drain.deadline == 40.0 + SETTINGS.patience


@pytest.mark.parametrize(("delivered", "deadline"), [(0, 2000.0), (7, 5000.0)])
def test_a_destination_that_takes_mail_up_to_its_rate_gets_new_patience(
    delivered: int, deadline: float
) -> None:
    drain = patience(2000.0)
    end = AttemptEnd(AttemptKind.LIMITED, "450 slow", delivered=delivered, is_limited=True)
    assert drain.next_attempt(end, 0.0) is not None
    assert drain.deadline == deadline
