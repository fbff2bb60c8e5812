"""An object store through obstore: Amazon S3, and others that speak its protocol.

Theory of operation. obstore makes the requests, in threads of its own that hold no lock of Python.
Every call here has an end: requests have a time limit and few repetitions, and so has the whole
call. A call that fails for any reason but a missing object raises ContentUnreachable, and
`absence` says why until a later call succeeds. Removals and listings leave `absence` as it is:
they can fail for lack of a right while all mail passes.

Few calls run at once, in the order in which they were asked for. A reader asks for one range at a
time, so that readers take turns. An upload has two parts of 5 MiB in memory at most.

An object is durable and visible as a whole once `put` has returned; before that nobody sees it.
Limitation: the parts of an upload that was interrupted can stay in the object store, invisible. A
rule of the bucket must remove them.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, GenericError
from obstore.store import LocalStore, S3Store

from restante.store.object_access import ObjectAccess
from restante.store.postgres.object_bucket import ObjectMissing
from restante.store.store_errors import ContentUnreachable, StoreMismatched

PART: Final = 5 << 20  # octets: the smallest part that Amazon takes
READS: Final = 16  # at once
UPLOADS: Final = 6  # at once
REMOVALS: Final = 4  # at once
CALL_SECONDS: Final = 30.0  # for a call with little content
TURN_SECONDS: Final = 60.0  # for a call to begin
SLOWEST_UPLOAD: Final = 128 * 1024  # octets in a second
_CONNECT: Final = timedelta(seconds=5)
# Two parts are sent at once. Calls with little content end earlier, after CALL_SECONDS.
_REQUEST: Final = timedelta(seconds=2 * PART // SLOWEST_UPLOAD + 10)
_REPETITIONS: Final = 2
_REPEATING: Final = timedelta(seconds=6)  # no repetition begins later
_IN_PARTS: Final[dict[str, Any]] = {"chunk_size": PART, "max_concurrency": 2}
_LISTED_AT_ONCE: Final = 1000
_LONGEST: Final = 200  # characters of an error
# In the texts of obstore's errors, whose first line tells little.
_ANSWERS: Final = (
    re.compile(r"<Code>(\w+)</Code>"),
    re.compile(r"status code: (\d{3}[A-Za-z ]*)"),
)
_CAUSE: Final = re.compile(r'(?:message|error): "([^"]+)"')

_Answer = TypeVar("_Answer")
_FAILURES: Final = (BaseError, OSError, TimeoutError, ValueError)


class ObstoreBucket:
    """An `ObjectBucket`: one bucket, or the part of it below a prefix."""

    def __init__(self, store: S3Store | LocalStore, place: str) -> None:
        """`place` is its URL, for people."""
        self._store = store
        self.place = place
        self.absence = ""  # why it cannot be reached, as the last call found out
        self._reading = asyncio.Semaphore(READS)
        self._uploading = asyncio.Semaphore(UPLOADS)
        self._removing = asyncio.Semaphore(REMOVALS)

    async def put(self, name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        """Write an object in parts."""
        put = partial(obstore.put_async, self._store, name, blocks, **_IN_PARTS)
        async with self._turn(self._uploading):
            await self._write(put, size / SLOWEST_UPLOAD)

    async def put_small(self, name: str, octets: bytes) -> None:
        """Write a small object by one request."""
        await self._write(
            partial(obstore.put_async, self._store, name, octets, use_multipart=False)
        )

    async def read(self, name: str, start: int, length: int) -> bytes:
        """Return a range of an object; b"" behind its end, which object stores call an error."""
        read = partial(obstore.get_range_async, self._store, name, start=start, length=length)
        async with self._turn(self._reading):
            try:
                return bytes(await self._call(read))
            except ContentUnreachable as error:
                if not isinstance(error.__cause__, GenericError) or await self._size(name) > start:
                    raise
                return b""

    async def size_of(self, name: str) -> int:
        """Ask for the size of an object."""
        async with self._turn(self._reading):
            return await self._size(name)

    async def copy(self, name: str, new: str, size: int) -> None:
        """Copy an object inside of the store."""
        async with self._turn(self._uploading):
            await self._call(
                partial(obstore.copy_async, self._store, name, new),
                size / SLOWEST_UPLOAD,
            )

    async def delete(self, names: Sequence[str]) -> dict[str, ContentUnreachable]:
        """Delete objects, a few at a time; return why some cannot be deleted."""
        async with asyncio.TaskGroup() as removals:
            removing = {name: removals.create_task(self._failure_to_delete(name)) for name in names}
        return {name: found for name, task in removing.items() if (found := task.result())}

    async def listed(self) -> AsyncIterator[list[str]]:
        """Yield the names of all objects, a page at a time."""
        pages = aiter(obstore.list(self._store, chunk_size=_LISTED_AT_ONCE))
        while (page := await self._call(lambda: _next_of(pages), tells=False)) is not None:
            yield [one["path"] for one in page]

    async def _size(self, name: str) -> int:
        return int((await self._call(partial(obstore.head_async, self._store, name)))["size"])

    async def _failure_to_delete(self, name: str) -> ContentUnreachable | None:
        try:
            async with self._turn(self._removing):
                await self._call(partial(obstore.delete_async, self._store, name), tells=False)
        except ObjectMissing:
            return None
        except ContentUnreachable as failure:
            return failure
        return None

    @asynccontextmanager
    async def _turn(self, line: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait for a turn. That it does not come soon says nothing about the object store."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await line.acquire()
        except TimeoutError:
            raise ContentUnreachable(f"{self.place}: too many requests wait") from None
        try:
            yield
        finally:
            line.release()

    async def _write(self, request: Callable[[], Awaitable[Any]], extra: float = 0.0) -> None:
        try:
            await self._call(request, extra)
        except ObjectMissing:
            self.absence = f"{self.place}: the bucket does not exist"
            raise ContentUnreachable(self.absence) from None

    async def _call(
        self, request: Callable[[], Awaitable[_Answer]], extra: float = 0.0, *, tells: bool = True
    ) -> _Answer:
        """Make a request, which `tells` whether the object store can be reached."""
        try:
            async with asyncio.timeout(CALL_SECONDS + extra):
                answer = await request()
        except FileNotFoundError as error:
            self._note("", tells)
            raise ObjectMissing(str(error)) from None
        except _FAILURES as error:
            absence = f"{self.place}: {error_text(error)}"
            self._note(absence, tells)
            raise ContentUnreachable(absence) from error
        self._note("", tells)
        return answer

    def _note(self, absence: str, tells: bool) -> None:  # noqa: FBT001
        if tells:
            self.absence = absence


async def _next_of(pages: Any) -> Any:
    """Return the next page of a listing; None: that was all."""
    return await anext(pages, None)


def error_text(error: BaseException) -> str:
    """Return what an error of the driver says, in one line."""
    text = str(error)
    if isinstance(error, TimeoutError) or "kind: Timeout" in text:
        return "no answer in time"
    for answer in _ANSWERS:
        if found := answer.search(text):
            return f"it answers {found[1].strip()}"
    if found := _CAUSE.search(text):
        return found[1][:_LONGEST]
    return text.partition("\n")[0].rpartition(" - ")[2][:_LONGEST] or "an error without a text"


def open_bucket(access: ObjectAccess) -> ObstoreBucket:
    """Return the bucket of some settings. Nothing is asked yet. Raises StoreMismatched."""
    url = urlsplit(access.url)
    try:
        if url.scheme == "file":
            return ObstoreBucket(LocalStore(url.path, mkdir=True), access.url)
        secret = access.secret_key_file
        return ObstoreBucket(
            _s3(
                access,
                url.netloc,
                url.path.strip("/"),
                "" if secret is None else secret.read_text("ascii").strip(),
                "" if access.ca_file is None else access.ca_file.read_text("ascii"),
            ),
            access.url,
        )
    except _FAILURES as error:
        raise StoreMismatched(f"[objects] cannot be used: {error_text(error)}") from error


def _s3(access: ObjectAccess, bucket: str, prefix: str, secret: str, roots: str) -> S3Store:
    config: dict[str, Any] = {
        "endpoint": access.endpoint,
        "region": access.region,
        "access_key_id": access.access_key_id,
        "secret_access_key": secret,
    }
    client: dict[str, Any] = {
        "connect_timeout": _CONNECT,
        "timeout": _REQUEST,
        "allow_http": access.endpoint.startswith("http:"),
    }
    if roots:
        client["root_certificate"] = roots
    return S3Store(
        bucket,
        prefix=prefix or None,
        config={key: value for key, value in config.items() if value},  # type: ignore[arg-type]
        virtual_hosted_style_request=not access.endpoint,
        client_options=client,  # type: ignore[arg-type]
        retry_config={"max_retries": _REPETITIONS, "retry_timeout": _REPEATING},
    )
