"""Questions and changes of the program's own store on a full database, and how long each takes.

Each function here takes an open store. `Timings` has what it measured, in milliseconds.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from bench.scale.processor_use import ProcessorUse, between
from restante.delivery.mail_supply import BATCH_MESSAGES, BATCH_OCTETS
from restante.queue.history import HistoryFilter
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.retention.retention_sweep import BATCH
from restante.store.handover_store import Drain
from restante.store.postgres import PostgresStore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.queue_store import QueueFilter
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.policy import DAY
from tests.contract import making

WINDOW: Final = 64  # messages of a window, which settles as a unit
HELD_AT_ONCE: Final = 50  # messages
BATCHES: Final = 100
PATIENCE: Final = 3600.0
TAKEN_OVER: Final = 1000  # drains
PROGRESS: Final = 100_000  # messages deleted between two lines of progress
_PAGE: Final = 100
_TIMES: Final = 5
_Answer = TypeVar("_Answer")
_HELD: Final = RecipientStatus.HELD
_WAL: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8"
_DRAINS: Final = """
    INSERT INTO drain SELECT id, 1, 1, $2::smallint, $3::bigint, $4::float8, $5::float8, 0, '', 0,
        'measured', true
    FROM unnest($1::integer[]) AS id
"""


class Taken(NamedTuple):
    """One call, in milliseconds."""

    whole: float
    alone: float  # without the waits for a processor
    own: float  # of processors, in this process
    database: float  # of processors, in the database


@dataclass(slots=True)
class Slices:
    """How far the slices of a domain have come."""

    after: int = 0


@dataclass(slots=True)
class Timings:
    """The calls that were measured, by name."""

    taken: dict[str, list[Taken]] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    use: ProcessorUse | None = None  # of the database that is measured

    async def call(
        self, name: str, function: Callable[..., Awaitable[_Answer]], *given: Any
    ) -> _Answer:
        """Call a function of a store, and return its answer."""
        assert self.use is not None
        before, began = self.use.look(), time.perf_counter()
        answer = await function(*given)
        whole = time.perf_counter() - began
        spent = between(before, self.use.look())
        # Both sides can wait at once, but each answer needs what both ran.
        alone = min(whole, max(whole - spent.waiting, spent.own + spent.database))
        found = (whole, alone, spent.own, spent.database)
        self.taken.setdefault(name, []).append(Taken(*(one * 1000 for one in found)))
        return answer

    def rows(self) -> list[tuple[str, int, float, float, float, float, float]]:
        """Return for each: count, median and 99th percentile alone, median in all, processors."""
        found = []
        for name, taken in self.taken.items():
            alone = [one.alone for one in taken]
            found.append(
                (
                    name,
                    len(taken),
                    statistics.median(alone),
                    percentile(alone, 0.99),
                    statistics.median(one.whole for one in taken),
                    statistics.mean(one.database for one in taken),
                    statistics.mean(one.own for one in taken),
                )
            )
        return found


def percentile(taken: Sequence[float], share: float) -> float:
    """Return the value that is not exceeded by a share of all."""
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def some_domains(store: PostgresStore, count: int, seed: int) -> list[int]:
    """Return ids of domains with mail, by chance."""
    usages = store.figures.usages()
    return random.Random(seed).sample(sorted(usages), min(count, len(usages)))


def largest_domain(store: PostgresStore) -> int:
    """Return the id of the domain with most mail."""
    usages = store.figures.usages()
    return max(usages, key=lambda domain_id: usages[domain_id].messages)


async def first_pages(timings: Timings, name: str, store: PostgresStore, seed: int) -> None:
    """Read the first messages of domains, as a drain does; then again."""
    ids = some_domains(store, 300, seed)
    for what in (f"held, first page, {name}", f"held, first page, {name}, again"):
        for domain_id in ids:
            given = (domain_id, 0, BATCH_MESSAGES, BATCH_OCTETS)
            await timings.call(what, store.handover.held, *given)


async def figures(timings: Timings, store: PostgresStore) -> None:
    """Ask what the status, the portal, the metrics and the listings ask."""
    few, largest = some_domains(store, 10, 2), largest_domain(store)
    filters = {
        "queue, first page": QueueFilter(limit=_PAGE),
        "queue, a page of a domain": QueueFilter(domain_ids=(few[0],), limit=_PAGE),
        "queue, a page of the largest domain": QueueFilter(domain_ids=(largest,), limit=_PAGE),
        "queue, refused of a domain": QueueFilter(
            domain_ids=(few[0],), status=RecipientStatus.REFUSED, limit=_PAGE
        ),
        "queue, a Message-ID": QueueFilter(message_id="<4711@sender.example>", limit=_PAGE),
    }
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "oldest, all domains": store.figures.oldest,
        "oldest, 10 domains": partial(store.figures.oldest, few),
        "set apart, all domains": store.figures.set_apart,
        "set apart, 10 domains": partial(store.figures.set_apart, few),
        "past drains, all domains": store.handover.past_drains,
        "last requests, all domains": store.audit.last_requests,
        "history, first page": partial(store.history.history, HistoryFilter(limit=_PAGE)),
        "reports about delay": partial(store.reports.late_messages, time.time(), _PAGE),
    }
    for name, selection in filters.items():
        asked[name] = partial(store.queue.queue_page, selection)
    for name, call in asked.items():
        for _ in range(_TIMES):
            try:
                await timings.call(name, call)
            except StoreError:  # a statement took longer than the program waits for one
                unanswered = f"{name}: no answer, times"
                timings.facts[unanswered] = timings.facts.get(unanswered, 0) + 1


async def sweep(timings: Timings, store: PostgresStore) -> None:
    """Look at domains as the hourly sweep does: nothing is due."""
    before, retention = time.time() - 30 * DAY, store.retention
    for domain_id in some_domains(store, 200, 3):
        for status in (_HELD, RecipientStatus.REFUSED):
            what = f"sweep, one domain, {status}, nothing due"
            await timings.call(what, retention.expired, domain_id, status, before, BATCH)
        await timings.call(
            "sweep, since when mail waits", retention.waiting_since, domain_id, _HELD
        )
    given = (largest_domain(store), _HELD, before, BATCH)
    for _ in range(_TIMES):
        await timings.call("sweep, the largest domain, nothing due", retention.expired, *given)


async def handover(timings: Timings, store: PostgresStore) -> None:
    """Open drains, read and settle a window of each, and finish them."""
    now, ports, written, settled = time.time(), store.handover, 0.0, 0
    for domain_id in some_domains(store, 200, 4):
        until = now + PATIENCE
        drain = await timings.call("drain, opened", ports.open_drain, domain_id, now, until)
        assert isinstance(drain, Drain)
        held = await ports.held(domain_id, 0, WINDOW, BATCH_OCTETS)
        delivered = [
            MessageOutcome(
                message.number,
                tuple(
                    RecipientOutcome(path, RecipientMove.DELIVERED, "250 2.0.0 Ok: queued")
                    for path in message.envelope.forward_paths
                ),
            )
            for message in held
        ]
        before = await _wal(store)
        await timings.call(f"settle, {WINDOW} messages", ports.settle, drain, delivered, (), now)
        written, settled = written + await _wal(store) - before, settled + len(delivered)
        taken = await timings.call("drain, taken over", ports.take_over, drain)
        assert taken is not None
        await timings.call("drain, given up", ports.close_drain, taken, None, now)
    timings.facts["settle, log of a message, octets"] = written / settled


async def reception(timings: Timings, store: PostgresStore) -> None:
    """Hold batches of messages."""
    numbers, ids = store.reception.numbers(), some_domains(store, 1000, 5)
    chance, written = random.Random(6), 0.0
    for _ in range(BATCHES):
        now = time.time()
        batch = [
            making.message(numbers.next(now), chance.choice(ids), received_at=now)
            for _ in range(HELD_AT_ONCE)
        ]
        before = await _wal(store)
        await timings.call(f"hold, {HELD_AT_ONCE} messages", store.reception.hold, batch)
        written += await _wal(store) - before
    timings.facts["hold, log of a message, octets"] = written / BATCHES / HELD_AT_ONCE


async def open_drains(timings: Timings, store: PostgresStore, counts: Sequence[int]) -> None:
    """Ask each second's questions about drains while more and more are open and run here."""
    ids = sorted(store.figures.usages())
    now = time.time()
    running: list[Drain] = []
    for count in counts:
        some = ids[len(running) : count]
        await store.core.write(partial(_put_drains, domain_ids=some, now=now))
        running += [Drain(domain_id, 1, now, now + PATIENCE) for domain_id in some]
        for _ in range(_TIMES):
            what = f"drains, claimable, {count} open"
            await timings.call(what, store.handover.claimable_drains, running)
            await timings.call(f"drains, asked, {count} open", store.handover.asked, running)
    await store.handover.give_back(running)
    found = await timings.call(
        f"drains, claimable, {len(running)} given back", store.handover.claimable_drains, ()
    )
    timings.facts["drains, given back and found"] = len(found)
    began = time.perf_counter()
    taken = await asyncio.gather(*map(store.handover.take_over, found[:TAKEN_OVER]))
    seconds = time.perf_counter() - began
    timings.facts["drains, taken over a second"] = sum(map(bool, taken)) / seconds


async def deletion(
    timings: Timings, store: PostgresStore, messages: int, seconds: float, sweeps: int
) -> None:
    """Remove expired mail as the sweep does, in slices; for so long at most.

    So many sweeps work side by side, each on a domain of its own, as those of several servers do.
    """
    sweep = _Deletion(timings, store, messages, time.monotonic() + seconds)
    began = time.monotonic()
    largest = largest_domain(store)
    ids = iter([largest, *(one for one in some_domains(store, 100_000, 6) if one != largest)])
    await asyncio.gather(*(sweep.remove(ids, largest) for _ in range(sweeps)))
    took = time.monotonic() - began
    timings.facts |= {
        "messages deleted": sweep.gone,
        "messages deleted a second": sweep.gone / took,
        "deleted by sweeps side by side": sweeps,
    }


@dataclass
class _Deletion:
    """Removes the expired mail of domains until there has been enough of it."""

    timings: Timings
    store: PostgresStore
    messages: int  # to remove
    end: float  # of the monotonic clock
    gone: int = 0

    async def remove(self, domain_ids: Iterator[int], largest: int) -> None:
        """Remove the mail of one domain after the other; of the largest, a tenth of all at most."""
        now = time.time()
        for domain_id in domain_ids:
            entry = AuditEntry(now, AuditAction.MAIL_EXPIRED, "policy", str(domain_id))
            kind = "the largest domain" if domain_id == largest else "one domain"
            slices, of_domain, done = Slices(), 0, BATCH
            while done and not self._is_over():
                if domain_id == largest and of_domain >= self.messages // 10:
                    break
                call = partial(_expire_slice, self.store, entry, domain_id, slices)
                done = await self.timings.call(f"delete {BATCH} messages, {kind}", call)
                of_domain += done
                self.gone += done
                if self.gone // PROGRESS != (self.gone - done) // PROGRESS:
                    print(f"   {self.gone} messages deleted", file=sys.stderr, flush=True)
            if self._is_over():
                return

    def _is_over(self) -> bool:
        return self.gone >= self.messages or time.monotonic() >= self.end


async def _wal(store: PostgresStore) -> float:
    """Return how many octets the database has written to its log, ever."""
    [(octets,)] = await store.core.fetch(_WAL)
    return float(octets)


async def _put_drains(
    transaction: PostgresTransaction, domain_ids: Sequence[int], now: float
) -> None:
    """Write open drains of this process, as if each had been opened."""
    given = (domain_ids, *transaction.node, now, now + PATIENCE)
    await transaction.fetch("DELETE FROM drain WHERE domain_id = ANY($1::integer[])", domain_ids)
    await transaction.fetch(_DRAINS, *given)


async def _expire_slice(
    store: PostgresStore, entry: AuditEntry, domain_id: int, slices: Slices
) -> int:
    """Remove some expired messages of a domain, as the sweep does; return how many."""
    numbers = await store.retention.expired(domain_id, _HELD, entry.at, BATCH, slices.after)
    if not numbers:
        return 0
    slices.after = numbers[-1]
    some = QueueFilter(numbers=tuple(numbers), status=_HELD, limit=len(numbers))
    await store.queue.list_queue(some)
    return await store.retention.expire(domain_id, numbers, _HELD, entry.at, entry)
