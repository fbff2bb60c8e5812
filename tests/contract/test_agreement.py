"""SQLite agrees with memory, whatever is done to both and in whatever order; and it still does after being reopened."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from restante.queue.status import Move, Outcome, RecipientOutcome, Status
from restante.store.errors import Conflict, LeaseLost
from restante.store.interface import Drain, QueueFilter, Store
from restante.store.memory import MemoryStore
from restante.store.sqlite import open_sqlite
from tests.contract.making import ANNA, BERT, CARL, NOTED, account, domain, message

PATHS = [ANNA, BERT, CARL]
NAMES = ["alpha.example", "beta.example"]
DOMAIN_IDS = st.integers(1, 4)
MOVES = st.sampled_from([Move.DELIVERED, Move.DELIVERED, Move.DEFERRED, Move.REFUSED])

RECIPIENT_OUTCOMES = st.builds(
    RecipientOutcome, st.sampled_from(PATHS), MOVES, st.sampled_from(["", "450 later", "550"])
)
OUTCOMES = st.lists(RECIPIENT_OUTCOMES, max_size=3, unique_by=lambda one: one.forward_path).map(tuple)
SELECTIONS = st.builds(
    QueueFilter,
    domain_ids=st.none() | st.lists(DOMAIN_IDS, max_size=2).map(tuple),
    status=st.sampled_from([None, Status.HELD, Status.REFUSED]),
    larger_than=st.none() | st.just(60),
    numbers=st.none() | st.lists(st.integers(1, 30), max_size=6).map(tuple),
    after=st.integers(0, 20),
    limit=st.integers(1, 10),
)


class Agreement(RuleBasedStateMachine):
    """The same calls on both stores."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.directory = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.runner = asyncio.Runner()
        self.memory = MemoryStore()
        self.sqlite = self.runner.run(self.opened())
        self.number = 0
        self.drains: list[Drain] = []
        self.both(lambda store: store.put_account(account(), NOTED))
        self.both(lambda store: store.put_domain(domain(NAMES[0]), NOTED))

    async def opened(self) -> Store:
        return await open_sqlite(Path(self.directory.name))

    def both(self, call: Callable[[Store], Awaitable[Any]]) -> Any:
        """Make a call on both, and see that they answer alike; LeaseLost and Conflict are answers too."""
        expected, answer = self.answer(self.memory, call), self.answer(self.sqlite, call)
        assert answer == expected
        return expected

    def answer(self, store: Store, call: Callable[[Store], Awaitable[Any]]) -> Any:
        async def awaited() -> Any:
            return await call(store)

        try:
            return self.runner.run(awaited())
        except (Conflict, LeaseLost) as refusal:
            return type(refusal)

    @rule(
        domain_id=DOMAIN_IDS,
        sizes=st.lists(st.integers(0, 100), max_size=8),
        to=st.permutations(PATHS),
        count=st.integers(1, 3),
    )
    def hold(self, domain_id: int, sizes: list[int], to: list[str], count: int) -> None:
        messages = [
            message(self.number + place, domain_id, *to[:count], head=b"x" * size)
            for place, size in enumerate(sizes, start=1)
        ]
        self.number += len(messages)
        self.both(lambda store: store.hold(messages))

    @rule(domain_id=DOMAIN_IDS)
    def open_drain(self, domain_id: int) -> None:
        drain = self.both(lambda store: store.open_drain(domain_id, 1.0, 60.0))
        if isinstance(drain, Drain):
            self.drains.append(drain)

    @precondition(lambda self: self.drains)
    @rule(data=st.data())
    def close_drain(self, data: st.DataObject) -> None:
        drain = data.draw(st.sampled_from(self.drains))
        self.both(lambda store: store.close_drain(drain))

    def some_numbers(self, data: st.DataObject) -> list[int]:
        """Mostly of messages that are there."""
        present = [one.number for one in self.both(lambda store: store.list_queue(QueueFilter()))]
        return data.draw(st.lists(st.sampled_from([*present, 999]), max_size=6))

    @precondition(lambda self: self.drains)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        drain = data.draw(st.sampled_from(self.drains[-3:]))
        outcomes = [Outcome(number, data.draw(OUTCOMES)) for number in self.some_numbers(data)]
        self.both(lambda store: store.settle(drain, outcomes))

    @precondition(lambda self: self.drains)
    @rule(count=st.integers(1, 5))
    def hand_over(self, count: int) -> None:
        """What a drain does when all goes well."""
        drain = self.drains[-1]
        window = self.both(lambda store: store.held(drain.domain_id, 0, count, 1 << 20))
        outcomes = [
            Outcome(one.number, tuple(RecipientOutcome(path, Move.DELIVERED) for path in one.envelope.forward_paths))
            for one in window
        ]
        self.both(lambda store: store.settle(drain, outcomes))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        numbers = self.some_numbers(data)
        self.both(lambda store: store.delete(numbers, NOTED))

    @rule(data=st.data())
    def release_refused(self, data: st.DataObject) -> None:
        numbers = self.some_numbers(data)
        self.both(lambda store: store.release_refused(numbers, NOTED))

    @rule(name=st.sampled_from(NAMES))
    def put_domain(self, name: str) -> None:
        self.both(lambda store: store.put_domain(domain(name), NOTED))

    @rule(domain_id=DOMAIN_IDS)
    def remove_domain(self, domain_id: int) -> None:
        self.both(lambda store: store.remove_domain(domain_id, NOTED))

    @rule(selection=SELECTIONS)
    def list_queue(self, selection: QueueFilter) -> None:
        self.both(lambda store: store.list_queue(selection))

    @rule(number=st.integers(1, 30))
    def look_at_one(self, number: int) -> None:
        self.both(lambda store: store.message(number))

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.sqlite.close())
        self.sqlite = self.runner.run(self.opened())

    @invariant()
    def memory_answers_are_the_same(self) -> None:
        assert self.sqlite.usages() == self.memory.usages()
        assert self.sqlite.last_number() == self.memory.last_number()

    @invariant()
    def everything_read_is_the_same(self) -> None:
        self.both(lambda store: store.list_queue(QueueFilter()))
        self.both(lambda store: store.oldest())
        self.both(lambda store: store.open_drains())
        self.both(lambda store: store.directory())

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.directory.cleanup()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
