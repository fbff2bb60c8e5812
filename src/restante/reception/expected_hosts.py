"""Which addresses belong to somebody's primary: the authorized hosts of hosted domains.

Under a flood these get in when strangers do not. Host names count by what the releaser has already
looked up: nobody's connection waits for DNS.

A flood asks for thousands of addresses a second, so the answer comes from an index. It is made at
the first question after the records or the known addresses of a host name have changed.
"""

from collections.abc import Callable, Mapping

from restante.release.authorization import HostAddresses, is_authorized_host
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Directory, IpAddress


class ExpectedHosts:
    """Answers from the present directory."""

    def __init__(self, directory: LiveDirectory, known_names: Callable[[], HostAddresses]) -> None:
        """`known_names` gives the addresses of host names as far as they are known.

        It must return another object once they differ.
        """
        self._directory = directory
        self._known_names = known_names
        self._index = _Index(directory.now, known_names())

    def is_home(self, address: IpAddress) -> bool:
        """Tell whether an address is an authorized host of any domain."""
        directory, names = self._directory.now, self._known_names()
        if not self._index.is_of(directory, names):
            self._index = _Index(directory, names)
        return address in self._index

    def is_home_of(self, account: str, address: IpAddress) -> bool:
        """Tell whether an address is an authorized host of one of the account's domains."""
        names = self._known_names()
        domains = self._directory.now.domains_of(account)
        return any(is_authorized_host(address, domain.authorized_hosts, names) for domain in domains)


class _Index:
    """The authorized hosts of all domains, as sets. A look-up takes one step for each prefix length."""

    def __init__(self, directory: Directory, known_names: HostAddresses) -> None:
        self._directory = directory
        self._known_names = known_names
        self._prefixes: dict[tuple[int, int], set[int]] = {}  # by version and bits behind the prefix
        self._addresses: set[IpAddress] = set()  # of host names
        hosts = {domain.authorized_hosts for domain in directory.domains.values()}
        for network in {network for each in hosts for network in each.networks}:
            spare = network.max_prefixlen - network.prefixlen
            prefixes = self._prefixes.setdefault((network.version, spare), set())
            prefixes.add(int(network.network_address) >> spare)
        for name in {name for each in hosts for name in each.names}:
            self._addresses.update(known_names.get(name, ()))

    def is_of(self, directory: Directory, known_names: Mapping[str, object]) -> bool:
        """Tell whether this is the index of these facts."""
        return self._directory is directory and self._known_names is known_names

    def __contains__(self, address: IpAddress) -> bool:
        number, version = int(address), address.version
        if address in self._addresses:
            return True
        return any(
            version == of_version and number >> spare in prefixes
            for (of_version, spare), prefixes in self._prefixes.items()
        )
