"""The port to an object store: whole objects are put, ranges of them are read.

Each call has an end. A call that fails for any reason but a missing object raises
ContentUnreachable.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from restante.store.store_errors import ContentUnreachable


class ObjectMissing(Exception):  # noqa: N818  an answer, not a fault of ours
    """No such object."""


class ObjectBucket(Protocol):
    """A place for objects, which nobody else uses."""

    @property
    def place(self) -> str:
        """Its URL, for people."""

    @property
    def absence(self) -> str:
        """Why it cannot be reached, as the last call found out; "" while it can. No I/O.

        Removals and listings do not change it.
        """

    async def put(self, name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        """Write an object of so many octets.

        It is durable on return, and nobody sees it before. If this fails, it may be there.
        """

    async def put_small(self, name: str, octets: bytes) -> None:
        """Write a small object, as `put`."""

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return a range of an object; less where it ends before. Raises ObjectMissing."""

    async def size_of(self, name: str) -> int:
        """Return the octets of an object. Raises ObjectMissing."""

    async def copy(self, name: str, new: str, size: int) -> None:
        """Copy an object of so many octets; as `put`. Raises ObjectMissing."""

    async def delete(self, names: Sequence[str]) -> Mapping[str, ContentUnreachable]:
        """Delete objects, some of which may be gone; return why some cannot be deleted."""

    def listed(self) -> AsyncIterator[list[str]]:
        """Yield the names of all objects, some at a time.

        One that changes meanwhile may be there or not.
        """
