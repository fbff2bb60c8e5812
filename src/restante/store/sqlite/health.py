"""Whether what this store says can be believed."""

from restante.store.errors import StoreError


class Health:
    """Good until a sync fails or damage to the database is met; then bad for good. Asked and told from any thread."""

    def __init__(self) -> None:
        self.failure = ""  # what happened, and what to do

    def fail(self, reason: str) -> None:
        """From now on nothing is believed. The first reason is the one that is kept."""
        self.failure = self.failure or f"{reason}: the store must be opened anew"

    def check(self) -> None:
        """Raise StoreError if it is bad."""
        if self.failure:
            raise StoreError(self.failure)
