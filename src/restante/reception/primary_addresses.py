"""Which addresses belong to primaries: the authorized hosts of hosted domains.

Under a flood these are admitted when strangers are not. For host names, only addresses that the
releaser has already looked up count: no connection waits for DNS.

A flood causes thousands of questions a second, so the answers come from indexes. One index covers
all domains; each account in question has its own. An index is made at the first question after the
records or the known addresses of a host name have changed.
"""

from collections.abc import Callable, Iterable

from restante.release.authorization import HostAddresses
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Directory, HostedDomain, IpAddress


class ExpectedHosts:
    """Answers from the present directory."""

    def __init__(self, directory: LiveDirectory, known_names: Callable[[], HostAddresses]) -> None:
        """`known_names` gives the addresses of host names as far as they are known.

        It must return another object once they differ.
        """
        self._directory = directory
        self._known_names = known_names
        self._facts: tuple[Directory, HostAddresses] = directory.now, known_names()
        self._of_all: _Index | None = None
        self._by_account: dict[str, _Index] = {}

    def is_authorized(self, address: IpAddress) -> bool:
        """Return whether an address is an authorized host of any domain."""
        self._look_for_changes()
        if self._of_all is None:
            self._of_all = _Index(self._facts[0].domains.values(), self._facts[1])
        return address in self._of_all

    def is_authorized_for(self, account: str, address: IpAddress) -> bool:
        """Return whether an address is an authorized host of one of the account's domains."""
        self._look_for_changes()
        index = self._by_account.get(account)
        if index is None:
            index = _Index(self._facts[0].domains_of(account), self._facts[1])
            self._by_account[account] = index
        return address in index

    def _look_for_changes(self) -> None:
        directory, names = self._directory.now, self._known_names()
        if directory is not self._facts[0] or names is not self._facts[1]:
            self._facts = directory, names
            self._of_all = None
            self._by_account.clear()


class _Index:
    """The authorized hosts of domains, as sets. A look-up takes one step for each prefix length."""

    def __init__(self, domains: Iterable[HostedDomain], known_names: HostAddresses) -> None:
        self._prefixes: dict[
            tuple[int, int], set[int]
        ] = {}  # by version and bits behind the prefix
        self._addresses: set[IpAddress] = set()  # of host names
        hosts = {domain.authorized_hosts for domain in domains}
        for network in {network for each in hosts for network in each.networks}:
            spare = network.max_prefixlen - network.prefixlen
            prefixes = self._prefixes.setdefault((network.version, spare), set())
            prefixes.add(int(network.network_address) >> spare)
        for name in {name for each in hosts for name in each.names}:
            self._addresses.update(known_names.get(name, ()))

    def __contains__(self, address: IpAddress) -> bool:
        number, version = int(address), address.version
        if address in self._addresses:
            return True
        return any(
            version == of_version and number >> spare in prefixes
            for (of_version, spare), prefixes in self._prefixes.items()
        )
