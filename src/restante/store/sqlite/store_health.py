"""Whether what this store says can be believed."""

from collections.abc import Callable

from restante.store.sqlite import engine
from restante.store.store_errors import StoreError


def _unmarked(_text: str) -> None:
    """Where no start is to be warned."""


class StoreHealth:
    """Good until a sync fails or damage to the database is met; then bad for good.

    Asked and told from any thread.
    """

    def __init__(self, on_damage: Callable[[str], None] = _unmarked) -> None:
        """`on_damage` is told what was met, on the thread that met it, when it is damage that opening does not cure."""
        self.failure = ""  # what happened, and what to do
        self._on_damage = on_damage

    def fail(self, reason: str) -> None:
        """From now on nothing is believed. The first reason is the one that is kept."""
        self.failure = self.failure or f"{reason}: the store must be opened anew"

    def meet(self, error: BaseException, doing: str) -> None:
        """Take note of what the engine says, whichever connection it says it on: some errors are the end, most not."""
        if not engine.is_final(error):
            return
        if engine.is_damage(error):
            self._on_damage(f"{doing}: {error}")
        self.fail(f"{doing}: {error}")

    def check(self) -> None:
        """Raise StoreError if it is bad."""
        if self.failure:
            raise StoreError(self.failure)
