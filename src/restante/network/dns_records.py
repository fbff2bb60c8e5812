"""Records of DNS as facts to judge, and never to connect by.

Deliveries do not get this interface: a stranger's DNS must not choose where held mail goes.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DnsRecordSet:
    """The answer to one question. Without values and without a failure, there is no such record."""

    values: tuple[str, ...] = ()  # as in a zone file; names in lower case, without the last dot
    seconds: int = 0  # how long the answer holds
    is_secure: bool = False  # a trusted resolver has validated it (the AD bit, RFC 4035 §3.2.3)
    failure: str = ""  # why nothing is known now
    alias_of: str = ""  # the name at the end of the CNAME records that were followed; "" without


class DnsRecords(Protocol):
    """Looks records up."""

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        """Return the records of a name of one type, such as TXT, without a cache of ours."""
