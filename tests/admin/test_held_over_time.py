"""How much a domain held, as its account saw it."""

import pytest
from pydantic import ValidationError

from restante.admin.admin_error import AdminError
from restante.admin.held_over_time import MOST_POINTS, HeldOverTimeView, HeldSpan, show_held
from restante.queue.held_peak import NARROW, WIDE, HeldAmount, HeldPeak, PeakPlace
from restante.tenancy.policy import DAY
from tests.admin.admin_world import NOW, AdminWorld, run

BEGIN = NOW // WIDE * WIDE  # of the present wide slot


async def shown(*ages: float, account: str = "alpha", **wanted: float) -> HeldOverTimeView:
    """Show the domain; it held one message, then two and so on, at ages in seconds."""
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    domain = admin.context.directory.now.domains["alpha.example"]
    for number, age in enumerate(ages, 1):
        for width in (NARROW, WIDE):
            at = int((NOW - age) // width * width)
            place = PeakPlace(domain.id, account, width, at)
            await admin.store.peaks.record_peaks([HeldPeak(place, HeldAmount(number, 10 * number))])
    return await show_held(admin.context, "alpha.example", HeldSpan.model_validate(wanted))


def amounts(view: HeldOverTimeView) -> list[int]:
    return [point.messages for point in view.points]


def test_a_domain_that_held_nothing_has_no_points() -> None:
    view = run(shown())
    assert (view.points, view.slot_seconds) == ([], NARROW)
    assert view.until.timestamp() == NOW


def test_what_is_held_now_counts_before_it_is_noted() -> None:
    async def story() -> tuple[HeldOverTimeView, HeldOverTimeView]:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        await admin.hold(1, 1, "a@alpha.example")
        past = HeldSpan(since=NOW - 7200, until=NOW - 3600)
        return (
            await show_held(admin.context, "alpha.example", HeldSpan(since=NOW - 7 * DAY)),
            await show_held(admin.context, "alpha.example", past),
        )

    week, past = run(story())
    assert amounts(week) == [1]
    assert amounts(past) == []


def test_the_last_day_is_shown_oldest_first() -> None:
    view = run(shown(2 * DAY, 3 * 3600, 0))
    assert amounts(view) == [2, 3]
    assert [point.octets for point in view.points] == [20, 30]


def test_months_are_shown_in_wider_slots() -> None:
    view = run(shown(80 * DAY, 79 * DAY, 0, since=NOW - 85 * DAY))
    assert amounts(view) == [1, 2, 3]
    assert view.slot_seconds % WIDE == 0
    assert 85 * DAY / view.slot_seconds <= MOST_POINTS


def test_a_span_ends_before_now() -> None:
    view = run(shown(6 * 3600, 3 * 3600, 0, since=NOW - 5 * 3600, until=NOW - 2 * 3600))
    assert amounts(view) == [2]
    assert run(shown(until=NOW + 100)).until.timestamp() == NOW


def test_the_mail_of_an_account_that_had_the_domain_before_is_not_shown() -> None:
    assert amounts(run(shown(0, account="beta"))) == []


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(AdminError, match="not later than since"):
        run(shown(since=NOW - 10, until=NOW - 20))


@pytest.mark.parametrize("value", ["nan", "inf", "1e18", "-1"])
def test_times_are_within_bounds(value: str) -> None:
    with pytest.raises(ValidationError):
        HeldSpan.model_validate({"since": value})
