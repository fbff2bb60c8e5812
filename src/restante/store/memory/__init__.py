"""The store in memory: a model of the contract, and the store of most tests."""

from restante.store.memory.memory_care import MemoryCare
from restante.store.memory.memory_store import MemoryStore

__all__ = ["MemoryCare", "MemoryStore"]
