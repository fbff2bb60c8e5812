"""How much the store holds."""

from collections.abc import Mapping, Sequence
from functools import partial

from restante.store.figure_store import NO_USAGE, DomainUsage, SetApart
from restante.store.sqlite import mail_reading
from restante.store.sqlite.store_core import StoreCore


class SqliteFigures:
    """A `FigureStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds, as of the last commit."""
        return self._core.latest.usages.get(domain_id, NO_USAGE)

    def usages(self) -> Mapping[int, DomainUsage]:
        """Return what each domain holds, by domain id."""
        return self._core.latest.usages.copy()

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what all domains of an account hold together, as of the last commit."""
        return self._core.latest.accounts.usage(account)

    def usage_of_all(self) -> DomainUsage:
        """Return what all domains hold together, as of the last commit."""
        return self._core.latest.accounts.total

    async def catch_up(self, domain_ids: Sequence[int]) -> None:
        """Nothing: no other process changes this store."""

    async def oldest(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        """Return, by domain id, when the oldest held message was received."""
        return await self._core.read(partial(mail_reading.oldest, domain_ids=domain_ids))

    async def set_apart(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, SetApart]:
        """Return how many messages are uncertain, damaged or deferred by a policy."""
        return await self._core.read(partial(mail_reading.set_apart, domain_ids=domain_ids))
