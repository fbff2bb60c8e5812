"""A keeper is needed for a change that waits, a proof, or a drill, and for nothing else."""

import pytest

from restante.admin.drill_marks import BEGUN, PASSED, TIMED, TOLD
from restante.admin.keeper_need import is_keeper_needed
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.admin.change_scene import NEW_HOST, ChangeScene


async def needed(admin: AdminWorld) -> bool:
    return await is_keeper_needed(admin.store, admin.context.directory)


async def with_domain(**fields: object) -> AdminWorld:
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha", **fields)
    return admin


def test_none_is_needed_for_domains_without_timer_and_proof() -> None:
    async def story() -> None:
        admin = await with_domain()
        assert not await needed(admin)
        await admin.store.retention.keep_mark(1, PASSED, NOW)  # of a drill by hand
        assert not await needed(admin)

    run(story())


@pytest.mark.parametrize("fields", [{"proof": "txt"}, {"drill_every": 7 * 86_400}])
def test_one_is_needed_for_a_proof_and_for_a_timer(fields: dict[str, object]) -> None:
    async def story() -> None:
        assert await needed(await with_domain(**fields))

    run(story())


@pytest.mark.parametrize("mark", [BEGUN, TIMED, TOLD])
def test_one_is_needed_where_a_drill_or_a_timer_has_left_a_mark(mark: str) -> None:
    async def story() -> None:
        admin = await with_domain()
        await admin.store.retention.keep_mark(1, mark, NOW)
        assert await needed(admin)

    run(story())


def test_one_is_needed_for_a_change_that_waits() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        assert not await needed(scene.admin)
        await scene.ask(destination=NEW_HOST)
        assert await needed(scene.admin)

    run(story())
