"""A backup made under load and restored elsewhere has every message that was held, whole."""

from __future__ import annotations

import asyncio
import shutil

from tests.acceptance.crash.books import Key
from tests.acceptance.crash.campaign import Campaign
from tests.acceptance.crash.holdings import Reader
from tests.acceptance.crash.senders import LOOK, Senders
from tests.fixed_seed import SEED

COUNT = 100  # messages that are acknowledged before it


async def back_up_under_load(campaign: Campaign, place: str) -> set[Key]:
    """Return what was acknowledged before the backup began."""
    victim, books = campaign.victim, campaign.books
    senders, is_copied = Senders(victim.mx_port, books, 1), asyncio.Event()
    sending = asyncio.ensure_future(senders.run_until(is_copied.is_set))
    while senders.acknowledged < COUNT:  # noqa: ASYNC110  the senders have no event for it
        await asyncio.sleep(LOOK)
    acknowledged = {
        key for sent in books.under_way() for key in sent.parts() if sent.is_acknowledged
    }
    await asyncio.to_thread(victim.release)
    await asyncio.to_thread(victim.do, "store", "backup", place)
    is_copied.set()
    await sending
    return acknowledged


def test_a_backup_under_load_restores_to_a_sound_store() -> None:
    with Campaign(SEED) as campaign:
        victim = campaign.victim
        victim.start()
        place = victim.directory / "copy"
        acknowledged = asyncio.run(back_up_under_load(campaign, str(place)))
        report = victim.shown("store", "check")  # beside the running server
        assert report["is_sound"], report
        assert report["is_in_use"]
        victim.stop()
        campaign.books.close_life()
        campaign.destination.look()

        held = Reader(place, campaign.books, campaign.victim.key_file).look(is_thorough=True)
        assert held.spoiled == []
        assert held.keys
        assert held.files >= held.by_file.keys()
        assert acknowledged <= held.keys.keys() | campaign.destination.taken.keys()

        shutil.rmtree(victim.store)
        place.rename(victim.store)
        assert victim.shown("store", "check")["is_sound"]
        victim.start()  # from the copy: its mail is handed over, some of it for the second time
        victim.release()
        victim.wait_until_empty()
        victim.stop()
        campaign.destination.look()
        assert held.keys.keys() <= campaign.destination.taken.keys()
        assert campaign.destination.spoiled == []
