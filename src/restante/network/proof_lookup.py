"""The records by which a domain proves its owner: TXT, and MX.

Nothing is cached, and nobody who delivers mail has this: records of strangers choose no host.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import dns.exception
import dns.resolver

from restante.network.resolver import LookupFailed, dns_cause, make_resolver

LIFETIME: Final = 8.0  # seconds for a question and its repetitions


class ProofRecords(Protocol):
    """Looks up the records of a domain. Each method raises LookupFailed if they are not known."""

    async def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of TXT records; none if there are none."""

    async def mail_hosts(self, name: str) -> tuple[str, ...]:
        """Return the hosts of MX records, in lower case; none if there are none."""


class ProofLookup:
    """Asks the system's name servers, or those given."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = ()) -> None:
        """`nameservers` are (address, port); none means those of the system."""
        self._resolver = make_resolver(nameservers)
        self._resolver.lifetime = LIFETIME

    async def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of TXT records, each joined from its strings."""
        records = await self._records(name, "TXT")
        return tuple(b"".join(one.strings).decode("ascii", "replace") for one in records)

    async def mail_hosts(self, name: str) -> tuple[str, ...]:
        """Return the hosts of MX records."""
        records = await self._records(name, "MX")
        return tuple(one.exchange.to_text(omit_final_dot=True).lower() for one in records)

    async def _records(self, name: str, kind: str) -> Sequence[Any]:
        """Return records as dnspython reads them: their attributes follow from the kind."""
        try:
            return tuple(await self._resolver.resolve(f"{name}.", kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            text = f"{name}: {kind} lookup failed: {dns_cause(error)}"
            raise LookupFailed(text, is_temporary=True) from None
