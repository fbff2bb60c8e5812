"""A power cut at any moment: acknowledged data is there, whole. See tests/store/power.py."""

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.interface import Store
from restante.store.sqlite import SqliteStore, open_sqlite, writer
from restante.store.store_errors import StoreError
from tests.contract.making import (
    NOTED,
    all_held,
    content,
    delivered,
    hosted,
    message,
    opened,
    spooled,
)
from tests.fixed_seed import SEED
from tests.store.damage_report import DamageReport
from tests.store.power import RecordedDisk, Tape, recorded_system

CUTS = int(os.environ.get("RESTANTE_CUTS") or 120)
STEPS = 60  # batches that are held
KEPT = (0.0, 0.5, 1.0)  # shares of unsynced data that got to the disk even so


class Work:
    """Mail comes, large and small, and goes; the tape has the acknowledgments among the steps."""

    def __init__(self, store: SqliteStore, tape: Tape, dice: random.Random) -> None:
        self._store = store
        self._tape = tape
        self._dice = dice
        self._number = 0
        self._present: list[int] = []

    async def run(self) -> None:
        domain_id = await hosted(self._store)
        drain = await opened(self._store, domain_id, 0.0, 60.0)
        for _ in range(STEPS):
            await asyncio.gather(*(self._hold(domain_id) for _ in range(self._dice.randint(1, 3))))
            if len(self._present) > 10:
                await self._remove(drain)

    async def _hold(self, domain_id: int) -> None:
        """Hold one or two messages; large content may be theirs together, under two names."""
        file = await spooled(self._store, big(self._dice)) if self._dice.random() < 0.3 else None
        copy = (
            await self._store.reception.duplicate(file)
            if file and self._dice.random() < 0.5
            else None
        )
        new = []
        for each in (file, copy) if copy else (file,):
            self._number += 1
            new.append(message(self._number, domain_id, head=small(self._number), file=each))
        numbers = [one.number for one in new]
        for one in new:
            self._tape.note("acknowledged", "submitted", one.number, one.file)
        await self._store.reception.hold(new)
        self._tape.note("acknowledged", "held", numbers)
        self._present += numbers

    async def _remove(self, drain: Any) -> None:
        gone = [self._present.pop(0) for _ in range(self._dice.randint(1, 6))]
        self._tape.note("acknowledged", "going", gone)
        if self._dice.random() < 0.8:
            await self._store.handover.settle(drain, [delivered(number) for number in gone])
        else:
            await self._store.queue.delete(gone, NOTED)
        self._tape.note("acknowledged", "gone", gone)


def small(number: int) -> bytes:
    """The content of a message, or the beginning of it."""
    noise = random.Random(number)
    return noise.randbytes(noise.choice((100, 4000, 30_000)))


def big(dice: random.Random) -> bytes:
    return dice.randbytes(dice.choice((70_000, 300_000)))


class Owed:
    """The data that must be there after a cut, that may, and that must not."""

    def __init__(self, acknowledged: list[tuple[Any, ...]]) -> None:
        self.files: dict[int, Any] = {}
        self.must: set[int] = set()
        self.gone: set[int] = set()
        for kind, *facts in acknowledged:
            match kind:
                case "submitted":
                    self.files[facts[0]] = facts[1]
                case "held":
                    self.must.update(facts[0])
                case "going":
                    self.must.difference_update(facts[0])
                case "gone":
                    self.gone.update(facts[0])


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """The record of one run, with checkpoints all the time."""
    directory = tmp_path_factory.mktemp("power") / "store"
    tape = Tape(directory)
    disk = RecordedDisk(tape)

    async def work() -> None:
        store = await open_sqlite(directory, vfs=disk.name)
        await Work(store, tape, random.Random(SEED)).run()
        await store.close()

    with pytest.MonkeyPatch.context() as patch, recorded_system(tape):
        patch.setattr(writer, "CHECKPOINT_OCTETS", 96 * 1024)
        asyncio.run(work())
    disk.unregister()
    return tape


@pytest.mark.parametrize("kept", KEPT)
async def test_acknowledged_mail_is_whole_after_a_power_cut(
    tape: Tape, kept: float, tmp_path: Path, runner: asyncio.Runner
) -> None:
    dice = random.Random(f"{SEED} {kept}")
    first = next(cut for cut in range(len(tape)) if tape.acknowledged(cut))
    for attempt in range(CUTS // len(KEPT)):
        cut = dice.randint(first, len(tape))
        place = tmp_path / str(attempt)
        tape.leave(cut, dice, kept, place)
        await check(
            place,
            Owed(tape.acknowledged(cut)),
            f"RESTANTE_SEED={SEED}, cut after step {cut} of {len(tape)}",
        )


async def check(place: Path, owed: Owed, what: str) -> None:
    damage = DamageReport()
    store = await open_sqlite(place, on_damage=damage)
    try:
        there = {
            held.number: held
            for domain_id in store.figures.usages()
            for held in await all_held(store, domain_id)
        }
        assert owed.must <= there.keys(), what
        assert there.keys() <= owed.files.keys(), what
        assert not there.keys() & owed.gone, what
        figures = DomainUsage(len(there), sum(held.size for held in there.values()))
        assert (
            sum(store.figures.usages().values(), start=NO_USAGE)
            == store.figures.usage_of_account("alpha")
            == figures
        ), what
        assert damage.texts == [], what
        for number, held in there.items():
            assert held.head == small(number), what
            assert held.file == owed.files[number], what
            await check_file(store, held.file, what)
    finally:
        await store.close()


async def check_file(store: Store, file: Any, what: str) -> None:
    if file is not None:
        assert len(await content(store.content.read_file(file))) == file.size, (
            what
        )  # to its end: so its checksum agrees


def test_the_tape_has_both_layers(tape: Tape) -> None:
    """The proof is not empty: it has logs, checkpoints, content, names."""
    seen = {(step[0], Path(step[1]).suffix) for step in tape._steps if step[0] != "acknowledged"}
    assert {("write", ".db-wal"), ("sync", ".db-wal"), ("write", ".db"), ("sync", ".db")} <= seen
    assert {
        ("create", ""),
        ("write", ""),
        ("sync", ""),
        ("sync-names", ""),
        ("link", ""),
        ("unlink", ""),
    } <= seen


def content_sync(step: tuple[Any, ...]) -> bool:
    return step[0] == "sync" and not Path(step[1]).suffix


def content_names(step: tuple[Any, ...]) -> bool:
    return step[0] == "sync-names" and "content" in step[1]


def log_sync(step: tuple[Any, ...]) -> bool:
    return step[0] == "sync" and Path(step[1]).suffix == ".db-wal"


def database_sync(step: tuple[Any, ...]) -> bool:
    return step[0] == "sync" and Path(step[1]).suffix == ".db"


@pytest.mark.parametrize("left_out", [content_sync, content_names, log_sync, database_sync])
async def test_a_store_that_leaves_a_sync_out_is_found_out(
    tape: Tape, left_out: Callable[[tuple[Any, ...]], bool], tmp_path: Path, runner: asyncio.Runner
) -> None:
    """The proof can fail: each kind of sync is missed."""
    lax = Tape(tape.directory)
    lax._steps = [("left-out", *step[1:]) if left_out(step) else step for step in tape._steps]
    held = [when for when, step in enumerate(lax._steps) if step[:2] == ("acknowledged", "held")]
    # From the last acknowledgment backwards: the recording decides which of them needs the sync.
    for when in reversed(held):
        lax.leave(when + 1, random.Random(SEED), 0.0, tmp_path / str(when))
        try:
            await check(tmp_path / str(when), Owed(lax.acknowledged(when + 1)), "")
        except (AssertionError, StoreError):
            return
    pytest.fail(f"{left_out.__name__} is not missed at any of {len(held)} acknowledged")
