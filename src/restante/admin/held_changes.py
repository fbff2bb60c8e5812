"""Which domains hold more or less mail than at the last look, whatever changed it.

Mail is held, handed over, imported, deleted, bounced, released again, or expires, here or on
another node. All of it moves the figures of the store, and so no place has to tell about it.
"""

from collections.abc import Mapping

from restante.background.loop_slices import in_turns
from restante.store.figure_store import DomainUsage, FigureStore


class HeldChanges:
    """Compares the figures of now with those of the last look."""

    def __init__(self, figures: FigureStore) -> None:
        self._figures = figures
        self._before: Mapping[int, DomainUsage] = {}

    def begin(self) -> None:
        """Let the next look tell what changes from now on."""
        self._before = self._figures.usages()

    async def look(self) -> list[int]:
        """Return the domains whose figures have changed since the last look, by id."""
        before, after = self._before, self._figures.usages()
        self._before = after
        changed = [
            domain_id
            async for domain_id, usage in in_turns(after.items())
            if before.get(domain_id) != usage
        ]
        return changed + list(before.keys() - after.keys())

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds now."""
        return self._figures.usage(domain_id)
