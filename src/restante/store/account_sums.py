"""The mail that each account holds, and all of them: sums over domains, moved with every commit.

Touched on the event loop only, with the figures of a commit: exact as of that commit.
"""

from collections.abc import Mapping

from restante.store.figure_store import NO_USAGE, DomainUsage


class AccountSums:
    """Running sums."""

    def __init__(self) -> None:
        self.total = NO_USAGE  # of all accounts
        self._sums: dict[str, DomainUsage] = {}
        self._counted: dict[
            int, tuple[str, DomainUsage]
        ] = {}  # by domain id: in whose sum it is, and with what

    def take(self, usages: Mapping[int, DomainUsage], accounts: Mapping[int, str]) -> None:
        """Work in the present figures of some domains; the account "" is of a removed one."""
        for domain_id, usage in usages.items():
            self._move(domain_id, accounts[domain_id], usage)

    def usage(self, account: str) -> DomainUsage:
        """Return an account's sum."""
        return self._sums.get(account, NO_USAGE)

    def _move(self, domain_id: int, account: str, usage: DomainUsage) -> None:
        """Take a domain out of the sum it was in, and put it in the one it belongs to now."""
        if (counted := self._counted.pop(domain_id, None)) is not None:
            self._add(counted[0], NO_USAGE - counted[1])
        if account:
            self._counted[domain_id] = (account, usage)
            self._add(account, usage)

    def _add(self, account: str, usage: DomainUsage) -> None:
        self.total += usage
        of_account = self.usage(account) + usage
        if of_account == NO_USAGE:
            self._sums.pop(account, None)
        else:
            self._sums[account] = of_account
