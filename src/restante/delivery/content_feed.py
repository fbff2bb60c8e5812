"""Large content on its way from the disk to a destination, no faster than that takes it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from restante.mail.message import ContentFile
from restante.smtp.client_transaction import ClientTransaction
from restante.store.store_errors import StoreError


class ContentSink(Protocol):
    """The connection that content is read for."""

    def send_block(self, block: bytes) -> None:
        """Send the next block."""

    def end_content(self) -> None:
        """All was sent: send the end mark."""

    def content_unreadable(self, error: StoreError) -> None:
        """End the connection: content without its end must not get an end mark."""


class ContentFeed:
    """Reads files for one connection, one after the other, until it is stopped."""

    def __init__(self, read_file: Callable[[ContentFile], AsyncIterator[bytes]]) -> None:
        self._read_file = read_file
        self._woken = asyncio.Event()  # content is wanted, or the end has come
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._wanted: ClientTransaction | None = None  # whose content is wanted
        self._reading: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def run(self, sink: ContentSink) -> None:
        """Stand by for content, until `stop`. Raises only for defects of ours."""
        while not self._is_stopped:
            await self._woken.wait()
            self._woken.clear()
            if self._wanted is not None:
                transaction, self._wanted = self._wanted, None
                await self._read(sink, transaction)

    def want(self, transaction: ClientTransaction) -> None:
        """Send a transaction's content."""
        self._wanted = transaction
        self._woken.set()

    @property
    def can_write(self) -> bool:
        """Whether the destination takes what is written."""
        return self._can_write.is_set()

    def pause(self) -> None:
        """Read no further block: the destination is slower than our disk."""
        self._can_write.clear()

    def resume(self) -> None:
        """Read on."""
        self._can_write.set()

    def stop(self) -> None:
        """End, whatever is being read."""
        self._is_stopped = True
        if self._reading is not None:
            self._reading.cancel()
        self._can_write.set()
        self._woken.set()

    async def _read(self, sink: ContentSink, transaction: ClientTransaction) -> None:
        """Send a file until done or stopped: a disk read may hang."""
        self._reading = asyncio.get_running_loop().create_task(self._send_file(sink, transaction))
        try:
            await asyncio.wait([self._reading])
        finally:
            self._reading.cancel()
        if not self._reading.cancelled():
            self._reading.result()

    async def _send_file(self, sink: ContentSink, transaction: ClientTransaction) -> None:
        file = transaction.message.file
        assert file is not None
        try:
            async for block in self._read_file(file):
                sink.send_block(block)
                await self._can_write.wait()
                if self._is_stopped:
                    return
        except StoreError as error:
            sink.content_unreadable(error)
        else:
            sink.end_content()
