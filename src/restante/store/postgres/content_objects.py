"""Large content as objects: whether the bucket is this store's, and whether it can be reached.

The bucket has an object with the mark that the database has, too. Before anything else is done, the
marks are compared. So a wrong bucket or prefix never looks like one whose content was lost, and a
sweep never removes the content of another store. The mark ends with the URL that was named first. A
bucket without a mark gets it only at that URL, and only while there is no content. While the bucket
cannot be reached, calls fail at once, and a timer has it asked again every few seconds.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from restante.store.object_access import ObjectAccess
from restante.store.postgres.object_bucket import ObjectBucket, ObjectMissing
from restante.store.store_errors import ContentUnreachable, Damaged, StoreMismatched

NO_OBJECTS: Final = (
    "large content of this store is in an object store; set [objects] as on its other servers, and"
    " restart"
)
MARK_NAME: Final = "restante-store"  # no name of content
PROBE_SECONDS: Final = 2.0
_MARK_OCTETS: Final = 2000
_DISK_THREADS: Final = 4
_NAME_OCTETS: Final = 16


def new_name() -> str:
    """Return a name for new content, which no other has or had."""
    return secrets.token_hex(_NAME_OCTETS)


def is_name(name: str) -> bool:
    """Tell whether an object can be content of ours."""
    return len(name) == 2 * _NAME_OCTETS and not set(name) - set("0123456789abcdef")


class ContentObjects:
    """The objects of one store."""

    def __init__(
        self, bucket: ObjectBucket, access: ObjectAccess, mark: str, *, is_new: bool
    ) -> None:
        """`mark`: that of the database. `is_new`: there is no content yet, so none can be lost."""
        self._bucket = bucket
        self._mark = mark.encode()
        self._url = access.url
        self._first_url = _url_of(mark)
        self._has_content = not is_new
        self._is_new = is_new and self._first_url in ("", access.url)
        self._mismatch = ""
        self._is_proven = False
        self._proving = asyncio.Lock()
        self._probing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.smallest = access.smallest
        self.directory: Path | None = access.directory
        self.threads = ThreadPoolExecutor(_DISK_THREADS, "objects")

    @property
    def absence(self) -> str:
        """Why it cannot be used at present; "" while it can."""
        return self._mismatch or self._bucket.absence

    def check(self) -> None:
        """Raise ContentUnreachable if it is known to be away."""
        if self.absence:
            raise ContentUnreachable(self.absence)

    async def put(self, name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        """Write content: durable on return. Raises ContentUnreachable."""
        await self._use()
        await self._bucket.put(name, blocks, size)

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return a range of content. Raises ContentUnreachable; Damaged if it is lost."""
        await self._use()
        try:
            return await self._bucket.read(name, start, length)
        except ObjectMissing:
            raise await self._lost(name) from None

    async def size_of(self, name: str) -> int:
        """Return the octets of content. Raises ContentUnreachable; Damaged if it is lost."""
        await self._use()
        try:
            return await self._bucket.size_of(name)
        except ObjectMissing:
            raise await self._lost(name) from None

    async def examine(self, name: str, size: int) -> None:
        """Raise Damaged if content is lost or cut. Raises ContentUnreachable."""
        if (found := await self.size_of(name)) != size:
            raise Damaged(f"the object {name} has {found} octets, not {size}")

    async def copy(self, name: str, new: str, size: int) -> None:
        """Copy content. Raises ContentUnreachable; Damaged if it is lost."""
        await self._use()
        try:
            await self._bucket.copy(name, new, size)
        except ObjectMissing:
            raise await self._lost(name) from None

    async def delete(self, names: list[str]) -> Mapping[str, ContentUnreachable]:
        """Delete content, some of which may be gone; return why some of it cannot be deleted.

        Raises ContentUnreachable before any is tried.
        """
        await self._use()
        return await self._bucket.delete(names)

    async def listed(self) -> AsyncIterator[list[str]]:
        """Yield the names of all content, some at a time. Raises ContentUnreachable."""
        await self.compare_marks()  # listed objects may be removed
        async for page in self._bucket.listed():
            yield [name for name in page if is_name(name)]

    async def compare_marks(self) -> None:
        """Prove that this is the bucket of the store, and mark a new one.

        Raises StoreMismatched if it is another; ContentUnreachable.
        """
        async with self._proving:
            found = await self._found_mark()
            if found is None and self._is_new:
                await self._bucket.put_small(MARK_NAME, self._mark)
                found = await self._found_mark()
            self._is_proven = found == self._mark
            self._is_new &= not self._is_proven  # from now on, a missing mark was taken away
            self._mismatch = "" if self._is_proven else self._difference(found)
        if self._mismatch:
            raise StoreMismatched(self._mismatch)

    def begin(self) -> None:
        """From now on, probe the object store while it is away."""
        self._timer = asyncio.get_running_loop().call_later(PROBE_SECONDS, self._look)

    async def close(self) -> None:
        """Stop the probes and release the threads."""
        if self._timer is not None:
            self._timer.cancel()
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
        self.threads.shutdown(wait=False)  # work that was begun is done

    def _look(self) -> None:
        if self.absence and (self._probing is None or self._probing.done()):
            self._probing = asyncio.get_running_loop().create_task(self._probe())
        self.begin()

    async def _probe(self) -> None:
        with suppress(ContentUnreachable, StoreMismatched):
            await self.compare_marks()

    async def _use(self) -> None:
        self.check()
        if not self._is_proven:
            await self._compare_or_leave()

    async def _lost(self, name: str) -> Damaged:
        """Return the error of a missing object; if the whole bucket is another, raise that."""
        await self._compare_or_leave()
        return Damaged(f"the object {name} is missing in {self._bucket.place}")

    async def _compare_or_leave(self) -> None:
        try:
            await self.compare_marks()
        except StoreMismatched as error:
            raise ContentUnreachable(str(error)) from error

    async def _found_mark(self) -> bytes | None:
        try:
            return await self._bucket.read(MARK_NAME, 0, _MARK_OCTETS)
        except ObjectMissing:
            return None

    def _difference(self, found: bytes | None) -> str:
        if found is None:
            cause = f"has no object {MARK_NAME}, which the database expects there"
            if self._first_url not in ("", self._url):
                return f"{self._bucket.place} {cause}; {self._remedy()}"
        else:
            cause = "has the content of another store"
        return (
            f"{self._bucket.place} {cause}; correct `url` and `endpoint` of [objects], or bring the"
            " bucket back"
        )

    def _remedy(self) -> str:
        """Return the ways out if another URL was named first."""
        other = (
            "or copy all objects from there"
            if self._has_content
            else "or, if that was a mistake, stop all servers and delete the row of the table"
            " object_mark"
        )
        return f"set `url` of [objects] to {self._first_url}, which was named first, {other}"


def _url_of(mark: str) -> str:
    """Return the URL that was named first; "" in a mark of former versions."""
    _name, _, rest = mark.partition(" ")
    return rest.partition(" ")[2]
