"""The settings of a policy by an operator, and contradictions among them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain, show_domain
from restante.admin.policy_change import PolicyView
from tests.admin.admin_world import NOW, AdminWorld, run

LATER = datetime.fromtimestamp(NOW + 3600, UTC)


async def policy(admin: AdminWorld, **fields: Any) -> PolicyView:
    return (
        await change_domain(admin.context, "alpha.example", DomainChange(**fields))
    ).domain.policy


def test_a_suspension_leaves_what_was_in_force_before() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", hold="on-return")
        suspended = await policy(admin, hold="suspended", reason="not paid", until=LATER)
        assert (suspended.hold, suspended.hold_otherwise, suspended.until) == (
            "suspended",
            "on-return",
            LATER,
        )
        longer = await policy(
            admin, hold="suspended", until=datetime.fromtimestamp(NOW + 7200, UTC)
        )
        assert (longer.reason, longer.while_suspended) == ("not paid", "accept")
        lifted = await policy(admin, hold="relay")
        assert (lifted.hold, lifted.reason) == ("relay", "")

    run(story(AdminWorld()))


def test_a_suspension_that_is_over_is_forgotten_by_the_next_change() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        await policy(admin, hold="suspended", reason="not paid", until=LATER)
        object.__setattr__(admin.context, "now", lambda: NOW + 3600)
        assert (await show_domain(admin.context, "alpha.example")).policy.hold == "until-asked"
        await policy(admin, quota=5)
        assert admin.context.directory.now.domains["alpha.example"].policy.suspension is None

    run(story(AdminWorld()))


def test_accepting_is_forced_for_a_time_and_let_go() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", hold="on-return", accept="when-down")
        forced = await policy(admin, force_accept="on", force_until=LATER)
        assert (forced.accept, forced.force_accept, forced.force_until) == (
            "when-down",
            "on",
            LATER,
        )
        turned = await policy(admin, force_accept="off")
        assert (turned.force_accept, turned.force_until) == ("off", None)
        assert (await policy(admin, force_until=LATER)).force_until == LATER
        assert (await policy(admin, force_accept="")).force_accept == ""

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"hold": "suspended"}, ErrorKind.USAGE, "--reason"),
        ({"hold": "suspended", "reason": "two\nlines"}, ErrorKind.USAGE, "one line"),
        ({"while_suspended": "defer"}, ErrorKind.USAGE, "--hold suspended"),
        ({"accept": "when-down"}, ErrorKind.USAGE, "--hold on-return"),
        ({"force_until": LATER}, ErrorKind.USAGE, "--force-accept"),
        (
            {"force_accept": "on", "force_until": datetime.fromtimestamp(NOW, UTC)},
            ErrorKind.INVALID,
            "in the past",
        ),
        ({"ask_destination": True}, ErrorKind.USAGE, "--recipients learned"),
    ],
)
def test_contradictory_or_premature_values_are_refused(
    fields: dict[str, Any], kind: ErrorKind, words: str
) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        before = admin.context.directory.now.domains["alpha.example"]
        with pytest.raises(AdminError, match=words) as caught:
            await policy(admin, **fields)
        assert caught.value.kind is kind
        assert admin.context.directory.now.domains["alpha.example"] == before

    run(story(AdminWorld()))


def test_when_down_cannot_lose_the_watch_that_it_needs() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", hold="on-return", accept="when-down")
        with pytest.raises(AdminError, match="watched"):
            await policy(admin, hold="until-asked")

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"unknown": "reject"}, "--unknown has no effect"),
        ({"ignore_tags": True}, "--ignore-tags has no effect"),
        ({"at_end": "delete"}, "--at-end has no effect without --retention"),
        (
            {"refused_retention": 0, "refused_at_end": "bounce"},
            "--refused-at-end has no effect without --refused-retention",
        ),
        ({"retention": 86400}, "--retention ends with a notice only, and the mail stays"),
        ({"refused_retention": 86400}, "--refused-retention ends with a notice only"),
    ],
)
def test_a_setting_without_effect_is_warned_of(fields: dict[str, Any], text: str) -> None:
    async def story(admin: AdminWorld) -> list[str]:
        await admin.host("alpha.example", "alpha")
        change = DomainChange.model_validate(fields)
        return (await change_domain(admin.context, "alpha.example", change)).warnings

    [warning] = [one for one in run(story(AdminWorld())) if "destination" not in one]
    assert warning.startswith(f"domain alpha.example: {text}")


@pytest.mark.parametrize(
    "fields",
    [
        {"unknown": "accept"},
        {"recipients": "list", "unknown": "defer", "ignore_tags": True},
        {"retention": 86400, "at_end": "keep"},
        {"retention": 86400, "at_end": "delete"},
        {"retention": 0},
    ],
)
def test_settings_with_an_effect_are_not_warned_of(fields: dict[str, Any]) -> None:
    async def story(admin: AdminWorld) -> list[str]:
        await admin.host("alpha.example", "alpha")
        change = DomainChange.model_validate(fields)
        return (await change_domain(admin.context, "alpha.example", change)).warnings

    assert not [
        one for one in run(story(AdminWorld())) if "--unknown" in one or "--retention" in one
    ]


@pytest.mark.parametrize("seconds", [86_399, 366 * 86_400 + 1])
def test_a_timer_drills_neither_more_than_daily_nor_less_than_yearly(seconds: int) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        assert (await policy(admin, drill_every=86_400)).drill_every == 86_400
        with pytest.raises(AdminError, match="--drill-every is not between 1 and 366 days"):
            await policy(admin, drill_every=seconds)
        assert (await policy(admin, drill_every=0)).drill_every is None

    run(story(AdminWorld()))


@pytest.mark.parametrize("drains", [1, 256])
def test_mail_is_not_parked_after_a_single_drain_nor_after_more_than_are_counted(
    drains: int,
) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        assert (await policy(admin, after_drains=2)).after_drains == 2
        with pytest.raises(AdminError, match="--after-drains is not between 2 and 255") as refused:
            await policy(admin, after_drains=drains)
        assert refused.value.kind is ErrorKind.INVALID
        assert (await policy(admin, after_drains=0)).after_drains is None

    run(story(AdminWorld()))
