"""Which addresses belong to somebody's primary: the authorized hosts of hosted domains.

Under a flood these get in when strangers do not. Host names count by what the releaser has already looked up: nobody's
connection waits for DNS.
"""

from collections.abc import Callable, Iterable

from restante.release.authorization import HostAddresses, is_authorized_host
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import HostedDomain, IpAddress


class ExpectedHosts:
    """Answers from the present directory."""

    def __init__(self, directory: LiveDirectory, known_names: Callable[[], HostAddresses]) -> None:
        """`known_names` gives the addresses of host names as far as they are known."""
        self._directory = directory
        self._known_names = known_names

    def is_home(self, address: IpAddress) -> bool:
        """Tell whether an address is an authorized host of any domain. Linear in the number of domains."""
        return self._is_among(address, self._directory.now.domains.values())

    def is_home_of(self, account: str, address: IpAddress) -> bool:
        """Tell whether an address is an authorized host of one of the account's domains."""
        return self._is_among(address, self._directory.now.domains_of(account))

    def _is_among(self, address: IpAddress, domains: Iterable[HostedDomain]) -> bool:
        names = self._known_names()
        return any(is_authorized_host(address, domain.authorized_hosts, names) for domain in domains)
