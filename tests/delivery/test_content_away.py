"""Drains while large content cannot be reached: it is deferred, and other mail leaves."""

import asyncio

from restante.mail.message import ContentFile
from restante.store.store_errors import ContentUnreachable
from restante.telemetry.events import DeliveryDeferred, DrainFinished
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World


def test_large_mail_is_deferred_and_leaves_when_its_content_is_back() -> None:
    async def main() -> None:
        world, is_away = World(), True
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold_large(domain, b"R: 1\r\n\r\n", b"large\r\n")
            await world.hold(domain, 3)
            proves = world.store.content.prove_file

            async def prove(file: ContentFile, beginning: int) -> bytes:
                if is_away:
                    raise ContentUnreachable("s3://mail: no answer in time")
                return await proves(file, beginning)

            async def pause() -> None:
                nonlocal is_away
                if len(world.pauses) == 1:
                    assert sorted(taken.content for taken in primary.taken) == [
                        b"2\r\n",
                        b"3\r\n",
                        b"4\r\n",
                    ]
                    [(_, _, reply)] = await world.words(1)
                    assert "its content cannot be read now: s3://mail: no answer in time" in reply
                if len(world.pauses) == 3:
                    is_away = False

            world.intercept("prove_file", prove)
            world.on_pause = pause
            await world.drain(domain)
            assert await world.waiting() == []
            assert len(primary.taken) == 4
            assert b"large" in primary.taken[-1].content
        assert len(world.pauses) == 3, "it was tried in four rounds"
        assert len(world.log.of(DeliveryDeferred)) == 3
        [end] = world.log.of(DrainFinished)
        assert end["delivered"] == 4

    asyncio.run(main())
