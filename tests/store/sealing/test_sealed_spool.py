"""Large content is sealed before it reaches the disk, in a file that only its message can open."""

import asyncio

from restante.mail.sealed_size import CHUNK, sealed_file_octets
from restante.store.memory import MemoryStore
from restante.store.sealing.sealed_form import FileOpener
from restante.store.sealing.sealed_spool import SealedSpool

MARK = b"a secret of some length "


def test_the_store_gets_sealed_octets_only() -> None:
    async def run() -> None:
        store = MemoryStore()
        spool = SealedSpool(store.reception.open_spool())
        for _ in range(10_000):
            await spool.write(MARK)
        file = await spool.close()
        stored = store.state.files[file.name]
        assert file.size == 10_000 * len(MARK)
        assert len(stored) == sealed_file_octets(file.size) > CHUNK
        assert MARK not in stored
        assert file.seal is not None
        opener = FileOpener(file.seal.key)
        assert opener.add(stored) + opener.end() == MARK * 10_000

    asyncio.run(run())


def test_a_discarded_one_is_gone() -> None:
    async def run() -> None:
        store = MemoryStore()
        spool = SealedSpool(store.reception.open_spool())
        await spool.write(MARK)
        await spool.close()
        spool.discard()
        assert not store.state.files

    asyncio.run(run())
