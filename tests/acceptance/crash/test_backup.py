"""A backup made under load and restored elsewhere has every message that was held, whole."""

from __future__ import annotations

import asyncio
import random
import shutil

from tests.acceptance.crash.books import Key
from tests.acceptance.crash.campaign import Campaign
from tests.acceptance.crash.holdings import Reader
from tests.acceptance.crash.senders import Senders

LOAD = 0.3  # seconds before it


async def back_up_under_load(campaign: Campaign, place: str) -> set[Key]:
    """Return what was acknowledged before the backup began."""
    victim, books = campaign.victim, campaign.books
    sending = asyncio.ensure_future(Senders(victim.mx_port, books, 1).run())
    await asyncio.sleep(LOAD)
    acknowledged = {
        key for sent in books.under_way() for key in sent.parts() if sent.is_acknowledged
    }
    await asyncio.to_thread(victim.release)
    await asyncio.to_thread(victim.do, "store", "backup", place)
    sending.cancel()
    await asyncio.wait([sending])
    return acknowledged


def test_a_backup_under_load_restores_to_a_sound_store() -> None:
    with Campaign(random.SystemRandom().getrandbits(32)) as campaign:
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
