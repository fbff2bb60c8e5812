"""A store that can be out of reach, as one behind a network: the fault is injected at each call."""

import inspect
from math import inf
from typing import Any, cast

from restante.store.memory import MemoryStore
from restante.store.memory.memory_handover import MemoryHandover
from restante.store.memory.memory_upkeep import MemoryUpkeep
from restante.store.store_errors import StoreUnreachable
from tests.contract.store_parts import PARTS


class AwayStore(MemoryStore):
    """A store in memory that is away while `absence` says why."""

    def __init__(self) -> None:
        super().__init__()
        self.absence = ""
        self.lease_left = inf  # seconds, of the drains
        self.calls = 0  # that found it away
        self.upkeep = _AwayUpkeep(self)
        self.handover = _AwayHandover(self)
        for name in PARTS:
            setattr(self, name, cast(Any, _AwayPart(self, getattr(self, name))))


class _AwayUpkeep(MemoryUpkeep):
    def __init__(self, store: AwayStore) -> None:
        super().__init__(store.state, store.content)
        self._store = store

    @property
    def absence(self) -> str:
        return self._store.absence

    @property
    def is_reachable(self) -> bool:
        return not self._store.absence


class _AwayHandover(MemoryHandover):
    def __init__(self, store: AwayStore) -> None:
        super().__init__(store.state)
        self._store = store

    def lease_left(self) -> float:
        return self._store.lease_left


class _AwayPart:
    """A part whose calls to the store fail while it is away; answers from memory remain."""

    def __init__(self, store: AwayStore, part: Any) -> None:
        self._store = store
        self._part = part

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def call(*arguments: Any, **named: Any) -> Any:
            if self._store.absence:
                self._store.calls += 1
                raise StoreUnreachable(self._store.absence)
            return await value(*arguments, **named)

        return call
