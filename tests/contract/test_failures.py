"""Failed logins: a store without other processes has no change."""

from restante.store.failure_store import FailureChange
from restante.store.interface import Store


async def test_a_server_that_is_alone_learns_nothing(store: Store, implementation: str) -> None:
    assert store.failures.is_shared == (implementation == "postgres")
    assert store.nodes.servers == 1
    await store.failures.tell([FailureChange("login", b"x", 1)])
    assert await store.failures.recent() == []
