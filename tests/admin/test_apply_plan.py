"""A plan has the rules of the single commands, and lets other work run meanwhile."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from restante.admin import apply_plan
from restante.admin.apply_plan import SLICE_SECONDS, SliceBreather
from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_entries import NotApplicable
from tests.admin.admin_world import AdminWorld
from tests.admin.configurations import ACME, Entries, apply, fields_changed, numbers, told


def problems_of(
    admin: AdminWorld, entries: Entries, prune: PruneScope = PruneScope.NOTHING
) -> list[str]:
    with pytest.raises(NotApplicable) as caught:
        apply(admin, entries, prune)
    return caught.value.problems


def test_fields_that_are_not_given_stay_or_get_their_defaults_when_pruning() -> None:
    admin = AdminWorld()
    apply(admin, [{**ACME[0], "quota": 5}])
    bare = [{"thing": "account", "name": "acme"}]
    assert numbers(apply(admin, bare))[:4] == (0, 0, 0, 1)
    assert fields_changed(apply(admin, bare, PruneScope.RECORDS)) == [
        "note: since 2019 → none",
        "quota.octets: 5 → none",
    ]


def test_an_account_may_come_from_the_configuration_or_be_there() -> None:
    admin = AdminWorld()
    [problem] = problems_of(admin, [ACME[3]])
    assert problem.startswith("notice channel ops: account acme: does not exist; ")
    assert problem.endswith("or add an entry for the account")
    apply(admin, ACME[:1])
    assert told(apply(admin, [ACME[3]])) == ["add channel ops"]


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ({"thing": "account", "name": "A B"}, "not a name for an account"),
        ({"thing": "account", "name": "a", "note": "x\ny"}, "too long, or of more than one line"),
    ],
)
def test_an_account_has_the_rules_of_account_add(entry: Mapping[str, Any], cause: str) -> None:
    [problem] = problems_of(AdminWorld(), [entry])
    assert cause in problem


def test_a_channel_cannot_mail_to_a_domain_of_the_same_configuration() -> None:
    [problem] = problems_of(AdminWorld(), [*ACME[:3], {**ACME[3], "mail": "ops@acme.example"}])
    assert problem == (
        "notice channel ops: mail to ops@acme.example would be held here; name an address in"
        " another domain"
    )


def test_other_work_runs_after_each_slice_of_time() -> None:
    async def story() -> int:
        now, turns = 0.0, 0
        breather = SliceBreather(lambda: now)

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        for _ in range(10):
            now += SLICE_SECONDS * 0.6
            await breather.breathe()
        beside.cancel()
        return turns

    assert asyncio.run(story()) == 5


def test_several_tasks_share_the_slices() -> None:
    """Tasks that go on together would make one long slice."""
    now, rounds, seen = 0.0, 0, []

    async def work(breather: SliceBreather) -> None:
        nonlocal now
        await breather.breathe()
        now += SLICE_SECONDS * 0.6
        seen.append(rounds)

    async def story() -> None:
        nonlocal now, rounds
        breather = SliceBreather(lambda: now)
        now = 1.0
        tasks = [asyncio.create_task(work(breather)) for _ in range(6)]
        while not all(task.done() for task in tasks):
            rounds += 1
            await asyncio.sleep(0)

    asyncio.run(story())
    assert max(seen.count(one) for one in seen) == 2


def test_many_entries_are_planned_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    breaths = 0

    class Counting(SliceBreather):
        async def breathe(self) -> None:
            nonlocal breaths
            breaths += 1

    monkeypatch.setattr(apply_plan, "SliceBreather", Counting)
    apply(AdminWorld(), ACME)
    assert breaths == len(ACME)
