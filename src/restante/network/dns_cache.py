"""Cached answers of name servers: how long they hold, and when they end early.

A positive answer holds for its TTL, at most an hour; a negative one for the SOA's time (RFC 2308
§5), at most a minute. `forget` ends it at once. Callers use it where a new answer matters: a
release is requested, a record is changed, a connection has failed. Time is monotonic, so that a
clock that is set back keeps no old answer alive.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.resolver

NEGATIVE_SECONDS: Final = 60.0
POSITIVE_SECONDS: Final = 3600.0
MOST: Final = 100_000  # answers

DnsKey = tuple[dns.name.Name, dns.rdatatype.RdataType, dns.rdataclass.RdataClass]


class DnsCache:
    """A cache for dnspython. A name that does not exist is kept under the type ANY."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._monotonic = monotonic
        self._kept: OrderedDict[dns.name.Name, dict[DnsKey, tuple[dns.resolver.Answer, float]]] = (
            OrderedDict()
        )

    def get(self, key: DnsKey) -> dns.resolver.Answer | None:
        """Return the answer to a question if it still holds."""
        of_name = self._kept.get(key[0], {})
        answer, until = of_name.get(key, (None, 0.0))
        return answer if answer is not None and self._monotonic() < until else None

    def put(self, key: DnsKey, value: dns.resolver.Answer) -> None:
        """Keep an answer."""
        most = NEGATIVE_SECONDS if value.rrset is None else POSITIVE_SECONDS
        until = self._monotonic() + min(float(value.chaining_result.minimum_ttl), most)
        self._kept.setdefault(key[0], {})[key] = (value, until)
        self._kept.move_to_end(key[0])
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def flush(self, key: DnsKey | None = None) -> None:
        """Forget the answer to one question, or everything."""
        if key is None:
            self._kept.clear()
        else:
            self._kept.get(key[0], {}).pop(key, None)

    def forget(self, name: dns.name.Name) -> None:
        """Forget every answer about a name."""
        self._kept.pop(name, None)
