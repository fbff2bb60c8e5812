"""The certificates that the server shows for some hosts, as other parts know them. Pure."""

from collections.abc import Iterable
from typing import NamedTuple


class ServedCertificate(NamedTuple):
    """The certificates for the same hosts: one for each type of key."""

    hosts: tuple[str, ...]  # that they name, in lower case; a name can have a wildcard
    expires_at: float  # Unix time, of the first to end
    keys: tuple[str, ...] = ()  # SHA-256 of each SubjectPublicKeyInfo, in hex (RFC 7469 §2.4)
    chains: tuple[tuple[bytes, ...], ...] = ()  # in DER, as clients get them: the host's own first

    def covers(self, host: str) -> bool:
        """Tell whether clients accept them for a host in canonical spelling (RFC 9525 §6.3)."""
        return any(name in {host, wildcard_for(host)} for name in self.hosts)


def wildcard_for(host: str) -> str:
    """Return the wildcard that stands for a host: it replaces the leftmost label, whole."""
    return f"*.{host.partition('.')[2]}"


def first_end(served: Iterable[ServedCertificate]) -> float:
    """Return when the first of them expires, in Unix time."""
    return min((one.expires_at for one in served), default=0.0)
