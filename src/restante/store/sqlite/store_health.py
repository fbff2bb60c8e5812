"""Whether what this store says can be believed."""

from collections.abc import Callable

from restante.store.sqlite import engine
from restante.store.store_errors import StoreError


def _unmarked(_text: str) -> None:
    """For a store without a mark of damage."""


class StoreHealth:
    """Good until a sync fails or damage to the database is met; then bad permanently.

    Asked and told from any thread.
    """

    def __init__(self, on_damage: Callable[[str], None] = _unmarked) -> None:
        """`on_damage` gets the description, on the finding thread, if opening does not cure it."""
        self.failure = ""  # the event and its remedy
        self._on_damage = on_damage

    def fail(self, reason: str) -> None:
        """From now on nothing is believed. The first reason is the one that is kept."""
        self.failure = self.failure or f"{reason}: the store must be reopened"

    def damage(self, found: str) -> None:
        """Take note of damage that was found without an error of the engine."""
        if not self.failure:
            self._on_damage(found)
        self.fail(found)

    def meet(self, error: BaseException, doing: str) -> None:
        """Take note of an engine's error on any connection: some are final, most are not."""
        if not engine.is_final(error):
            return
        if engine.is_damage(error):
            self._on_damage(f"{doing}: {error}")
        self.fail(f"{doing}: {error}")

    def check(self) -> None:
        """Raise StoreError if it is bad."""
        if self.failure:
            raise StoreError(self.failure)
