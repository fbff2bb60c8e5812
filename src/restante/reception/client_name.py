"""The name of one session's client: asked for with the first recipient, and awaited briefly.

The look-up runs beside the checks and the content. So nearly all messages are complete after it.
Otherwise the final reply waits, at most NAME_SECONDS. A name that is not known by then counts as a
failed look-up, and the look-up goes on for the next message.
"""

import asyncio
from typing import Final, Protocol

from restante.mail.message_origin import PtrStatus
from restante.network.ptr_lookup import LOOKUP_FAILED, PtrAnswer
from restante.tenancy.model import IpAddress

NAME_SECONDS: Final = 2.0  # after the end of the content
NOT_LOOKED_UP: Final = PtrAnswer(PtrStatus.NOT_LOOKED_UP)


class NameSource(Protocol):
    """Finds names (background/stranger_lookups.py)."""

    def find(self, address: IpAddress) -> "PtrAnswer | asyncio.Future[PtrAnswer]":
        """Return what is known of an address, or the future of the answer."""


class ClientName:
    """The name, as far as it is known."""

    __slots__ = ("_address", "_found", "_names")

    def __init__(self, names: NameSource | None, address: IpAddress) -> None:
        """Without `names`, nothing is looked up."""
        self._names = names
        self._address = address
        self._found: PtrAnswer | asyncio.Future[PtrAnswer] = NOT_LOOKED_UP

    def ask(self) -> None:
        """Look it up, if it is not known. Call it for each message: answers end."""
        if self._names is not None:
            self._found = self._names.find(self._address)

    @property
    def is_awaited(self) -> bool:
        """Whether the answer is still to come."""
        return isinstance(self._found, asyncio.Future) and not self._found.done()

    async def wait(self) -> None:
        """Wait for the answer, but not for long."""
        if isinstance(self._found, asyncio.Future) and not self._found.done():
            await asyncio.wait([self._found], timeout=NAME_SECONDS)

    @property
    def answer(self) -> PtrAnswer:
        """The answer as far as it is known now."""
        if isinstance(self._found, PtrAnswer):
            return self._found
        return self._found.result() if self._found.done() else LOOKUP_FAILED

    @property
    def confirmed(self) -> str:
        """The name that leads back to the address, "" if there is none or it is not known."""
        answer = self.answer
        return answer.name if answer.status is PtrStatus.CONFIRMED else ""
