"""A change is made to the record as it is now, or an obstacle says why not."""

import pytest

from restante.admin.auditing import MAX_REASON_LENGTH
from restante.admin.change_applying import ChangeObstacle, put_change
from tests.admin.admin_world import run
from tests.admin.change_scene import NEW_HOST, ChangeScene


def test_a_long_reason_fits_into_the_trail() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        scene.alpha = scene.acting(scene.token, "r" * MAX_REASON_LENGTH)
        await scene.ask(destination=NEW_HOST)
        [change] = await scene.waiting()
        assert await put_change(scene.operator, change)
        entry = next(one for one in await scene.trail() if one.action == "change-applied")
        assert len(entry.reason) == MAX_REASON_LENGTH
        assert entry.reason.startswith("change 1, asked for by token ci (alpha): rrr")

    run(story())


def test_a_change_that_no_longer_waits_is_not_applied() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(add_allow=("198.51.100.9",))
        [change] = await scene.waiting()
        await scene.admin.store.schedule.drop_change(change.id, (await scene.trail())[0])
        before = scene.domain
        assert not await put_change(scene.operator, change)
        assert scene.domain == before

    run(story())


def test_a_name_that_cannot_be_resolved_now_is_applied_as_it_was_asked_for() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        [change] = await scene.waiting()
        del scene.admin.resolver.known[NEW_HOST]
        assert await put_change(scene.operator, change)
        assert scene.domain.destination.must_be_public  # so each delivery checks it

    run(story())


def test_an_address_inside_is_an_obstacle() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        [change] = await scene.waiting()
        scene.admin.resolver.known[NEW_HOST] = ["192.168.0.9"]
        with pytest.raises(ChangeObstacle, match="has no public address"):
            await put_change(scene.operator, change)
        assert len(await scene.waiting()) == 1

    run(story())
