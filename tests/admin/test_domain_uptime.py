"""The uptime of a domain's destination, as its account saw it."""

import pytest

from restante.admin import domain_uptime
from restante.admin.admin_error import AdminError
from restante.admin.domain_uptime import UptimeSelection, UptimeView, show_uptime
from restante.queue.presence import DestinationState, PresenceChange
from restante.tenancy.policy import DAY
from restante.tenancy.principal import account_login
from tests.admin.admin_world import NOW, AdminWorld, run

HOST = "mail.alpha.example:25"


def change(days_ago: float, seen: DestinationState, account: str = "alpha") -> PresenceChange:
    return PresenceChange(
        account, HOST, NOW - days_ago * DAY, seen, "refused" * (seen is DestinationState.AWAY)
    )


async def shown(*changes: PresenceChange, **wanted: float) -> UptimeView:
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    await admin.store.presence.record_presence(changes)
    selection = UptimeSelection.model_validate(wanted)
    return await show_uptime(admin.context, "alpha.example", selection)


def test_of_a_domain_that_was_never_probed_nothing_is_known() -> None:
    view = run(shown())
    assert (view.up_ratio, view.outages, view.changes) == (None, 0, [])
    assert view.destination == HOST


def test_the_last_thirty_days_are_shown() -> None:
    view = run(
        shown(
            change(40, DestinationState.UP),
            change(9, DestinationState.AWAY),
            change(6, DestinationState.UP),
        )
    )
    assert view.up_seconds == 27 * DAY
    assert view.away_seconds == 3 * DAY
    assert view.up_ratio == 0.9
    assert view.outages == 1
    assert [(one.seen, one.reason) for one in view.changes] == [
        (DestinationState.UP, ""),
        (DestinationState.AWAY, "refused"),
    ]


def test_a_span_is_cut_out() -> None:
    changes = (
        change(40, DestinationState.UP),
        change(9, DestinationState.AWAY),
        change(6, DestinationState.UP),
    )
    view = run(shown(*changes, since=NOW - 10 * DAY, until=NOW - 8 * DAY))
    assert (view.up_seconds, view.away_seconds) == (DAY, DAY)
    assert [one.seen for one in view.changes] == [DestinationState.AWAY]


def test_the_end_is_not_in_the_future() -> None:
    assert run(shown(until=NOW + DAY)).until.timestamp() == NOW


def test_few_changes_are_listed_and_all_are_counted() -> None:
    view = run(
        shown(
            *[
                change(20 - day, [DestinationState.UP, DestinationState.AWAY][day % 2])
                for day in range(8)
            ],
            limit=2,
        )
    )
    assert (view.outages, len(view.changes)) == (4, 2)


def test_changes_are_read_by_pages_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_uptime, "PAGE", 2)
    changes = [
        change(20 - day, [DestinationState.UP, DestinationState.AWAY][day % 2]) for day in range(8)
    ]
    assert run(shown(*changes)).outages == 4
    monkeypatch.setattr(domain_uptime, "MOST_CHANGES", 4)
    view = run(shown(*changes))
    assert view.since.timestamp() == NOW - 16 * DAY, "the rest is not known to be any state"
    assert view.up_seconds + view.away_seconds == 16 * DAY


def test_an_account_sees_what_it_saw_and_no_other_domain() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        await admin.host("beta.example", "beta")  # the same destination
        await admin.store.presence.record_presence([change(9, DestinationState.UP, "beta")])
        alpha = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
        view = await show_uptime(alpha, "alpha.example", UptimeSelection())
        assert view.changes == []
        with pytest.raises(AdminError) as foreign:
            await show_uptime(alpha, "beta.example", UptimeSelection())
        with pytest.raises(AdminError) as unknown:
            await show_uptime(alpha, "gamma.example", UptimeSelection())
        assert str(foreign.value).replace("beta", "gamma") == str(unknown.value)

    run(story())


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(AdminError, match="not later than since"):
        run(shown(since=NOW, until=NOW - 1))
