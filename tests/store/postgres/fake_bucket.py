"""An object store in memory, with faults, and stores on PostgreSQL that keep content there."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

import pytest

from restante.store.content_store import OnDamage
from restante.store.database_access import DatabaseAccess
from restante.store.object_access import ObjectAccess
from restante.store.postgres import PostgresStore, obstore_bucket, open_postgres
from restante.store.postgres.object_bucket import ObjectMissing
from restante.store.store_errors import ContentUnreachable
from tests.postgres_cluster import ALONE

SMALLEST: Final = 1000
WITH_OBJECTS: Final = replace(ALONE, objects=ObjectAccess("s3://fake", smallest=SMALLEST))


class FakeBucket:
    """An `ObjectBucket`."""

    place = "s3://fake"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.absence = ""
        self.outage = ""  # the reason of an outage that calls meet
        self.undeletable: set[str] = set()
        self.calls = 0

    def contents(self) -> set[str]:
        """Return the names, but for the mark."""
        return set(self.objects) - {"restante-store"}

    async def put(self, name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        self._ask()
        octets = b"".join([block async for block in blocks])
        assert len(octets) == size
        self._keep(name, octets)

    async def put_small(self, name: str, octets: bytes) -> None:
        self._ask()
        self._keep(name, octets)

    async def read(self, name: str, start: int, length: int) -> bytes:
        self._ask()
        return self._found(name)[start : start + length]

    async def size_of(self, name: str) -> int:
        self._ask()
        return len(self._found(name))

    async def copy(self, name: str, new: str, size: int) -> None:
        self._ask()
        self._keep(new, self._found(name))

    async def delete(self, names: Sequence[str]) -> dict[str, ContentUnreachable]:
        self.calls += 1
        left = set(names) if self.outage else self.undeletable.intersection(names)
        for name in names:
            if name not in left:
                self.objects.pop(name, None)
        return {name: ContentUnreachable(self.outage or f"{name} stays") for name in left}

    async def listed(self) -> AsyncIterator[list[str]]:
        self.calls += 1
        if self.outage:
            raise ContentUnreachable(self.outage)
        yield sorted(self.objects)

    def _ask(self) -> None:
        self.calls += 1
        self.absence = self.outage
        if self.outage:
            raise ContentUnreachable(self.outage)

    def _keep(self, name: str, octets: bytes) -> None:
        self.objects[name] = octets

    def _found(self, name: str) -> bytes:
        if name not in self.objects:
            raise ObjectMissing(name)
        return self.objects[name]


def use(bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores that are opened from now on use a bucket."""
    monkeypatch.setattr(obstore_bucket, "open_bucket", lambda _access: bucket)


async def opened_at(
    url: str,
    access: DatabaseAccess = WITH_OBJECTS,
    on_damage: OnDamage | None = None,
    *,
    is_server: bool = True,
) -> PostgresStore:
    """Open a store."""
    return await open_postgres(url, access, on_damage=on_damage, is_server=is_server)
