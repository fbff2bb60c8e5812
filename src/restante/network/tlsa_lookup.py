"""Where the TLSA records of a host are: at the end of its aliases, or at its own name.

A host can be an alias (CNAME). If it is validated together with the addresses, the name at the end
comes first, and the host's own name second (RFC 7672 §2.2.3). If only the alias itself is
validated, the records can be at the host's own name alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from restante.network.dns_records import DnsRecords, DnsRecordSet


class TlsaAnswer(NamedTuple):
    """The TLSA records of a host and port."""

    base: str  # the host that has them: the host itself, or the end of its aliases
    found: DnsRecordSet

    @property
    def is_usable(self) -> bool:
        """Whether there are validated ones."""
        return self.found.is_secure and bool(self.found.values)


def tlsa_name(host: str, port: int) -> str:
    """Return the name of a host's TLSA records (RFC 6698 §3)."""
    return f"_{port}._tcp.{host}"


async def tlsa_records(
    records: DnsRecords, host: str, port: int, addresses: Sequence[DnsRecordSet]
) -> TlsaAnswer:
    """Look the TLSA records of a host up. `addresses` are the answers to A and AAAA.

    An answer that fails is returned at once: another place does not replace it.
    """
    validated = (one for one in addresses if one.values and one.is_secure and one.alias_of)
    end = next((one.alias_of for one in validated), host)
    if end != host:
        first = TlsaAnswer(end, await records.records(tlsa_name(end, port), "TLSA"))
        if first.found.failure or first.is_usable:
            return first
    return TlsaAnswer(host, await records.records(tlsa_name(host, port), "TLSA"))
