"""How mail comes into the store."""

from collections.abc import Mapping, Sequence
from functools import partial

from restante.mail.message import ContentFile, MessageNumbers, NewMessage
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain
from restante.store.sqlite import mail_changes
from restante.store.sqlite.spool import FileSpool
from restante.store.sqlite.store_core import StoreCore
from restante.store.store_errors import StoreError
from restante.store.stored_form.rows import message_row


class SqliteReception:
    """A `ReceptionStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._core.latest.numbers

    async def hold(
        self, messages: Sequence[NewMessage], quotas: QuotasByDomain = NO_QUOTAS
    ) -> Mapping[int, StoreError]:
        """Hold these, except for removed domains and full quotas. Here their numbers must grow.

        Raises StoreError too if they would be lost with the end of the process.
        """
        if not messages:
            return {}
        self._core.writer.look()
        refused: dict[int, StoreError] = await self._core.write(
            partial(
                mail_changes.hold,
                messages=messages,
                rows=[message_row(message) for message in messages],
                quotas=quotas,
            )
        )
        self._core.in_use.require_place()
        return refused

    def open_spool(self) -> FileSpool:
        """Begin large content."""
        return self._core.files.open_spool()

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name."""
        self._core.check()
        return await self._core.files.duplicate(file)

    def discard(self, file: ContentFile) -> None:
        """Remove a duplicate that no message has got."""
        files = self._core.files
        files.begin(partial(files.remove_unheld, file.name))
