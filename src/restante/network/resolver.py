"""Names to addresses: A and AAAA records; and, for reports alone, a domain's MX records.

Nothing in Restante looks at MX records to deliver held mail (S9): a domain's public MX may lie, or
point at us. So they are behind an interface of their own, which nobody has who delivers mail. So
are the records that the check of a domain judges (dns_records.py).
"""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import shuffle
from typing import Any, Final, NamedTuple, Protocol

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver

from restante.network.dns_cache import DnsCache
from restante.network.dns_records import DnsRecordSet
from restante.phrases import cause_of
from restante.tenancy.model import IpAddress

_LOOPBACK: tuple[IpAddress, ...] = (
    ipaddress.IPv4Address("127.0.0.1"),
    ipaddress.IPv6Address("::1"),
)


_VERSIONS: Final = {"A": 4, "AAAA": 6}  # of IP, by type of record
_BOTH: Final = frozenset(_VERSIONS.values())
OTHER_VERSION_SECONDS: Final = 2.0  # for the other answer, once one is there
LOCALHOST: Final = "localhost"
LIFETIME: Final = 10.0  # seconds for a question and its repetitions


class LookupFailed(Exception):  # noqa: N818
    """No address is known for the name now.

    `is_temporary` is False where DNS says that there is none. `absent` has the IP versions of which
    DNS says so, also where the other one is not known.
    """

    def __init__(
        self, text: str, *, is_temporary: bool, absent: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(text)
        self.is_temporary = is_temporary
        self.absent = absent


class Resolver(Protocol):
    """Looks names up."""

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        """Return a host's addresses, IPv4 first. Raises LookupFailed."""

    def forget(self, name: str) -> None:
        """Query this name again the next time, even if its cached answer would still hold."""


class MxRecord(NamedTuple):
    """One MX record; `host` is "" in the null MX of a domain that takes no mail (RFC 7505)."""

    preference: int
    host: str


class MxAnswer(NamedTuple):
    """The MX records of a domain, the most preferred first; () without any."""

    records: tuple[MxRecord, ...] = ()
    is_secure: bool = False  # as DnsRecordSet.is_secure, also of the answer that there are none


class MailExchangers(Protocol):
    """Looks up who takes a domain's mail."""

    async def exchangers(self, domain: str) -> MxAnswer:
        """Return its MX records.

        Records of one preference come in random order. Raises LookupFailed.
        """


class DnsResolver:
    """Asks the system's name servers, or those given, through dnspython.

    Answers are kept (dns_cache.py).
    """

    def __init__(
        self,
        nameservers: Sequence[tuple[str, int]] = (),
        monotonic: Callable[[], float] = time.monotonic,
        *,
        is_trusted: bool = False,
    ) -> None:
        """`nameservers` are (address, port); none means those of the system.

        `monotonic` is in seconds. `is_trusted`: nobody can change answers on the way from the name
        servers. Those on loopback are trusted anyway (RFC 4035 §4.9.3).
        """
        self._monotonic = monotonic
        self._resolver = make_resolver(nameservers)
        self._answers = self._resolver.cache = DnsCache(monotonic)
        self._fresh = make_resolver(nameservers)  # without a cache
        for one in (self._resolver, self._fresh):
            one.lifetime = LIFETIME
            one.flags = dns.flags.RD | dns.flags.AD  # it asks for the AD bit (RFC 6840 §5.7)
        self._is_trusted = is_trusted or all(map(_is_loopback, self._resolver.nameservers))

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        """Return a host's addresses, IPv4 first.

        `localhost` never leaves this machine (RFC 6761 §6.3).
        """
        if name == LOCALHOST:
            return _LOOPBACK
        answers = await self._ask_both(name)
        found = tuple(
            address
            for answer in answers
            if not isinstance(answer, LookupFailed)
            for address in answer
        )
        if found:
            return found
        failures = [answer for answer in answers if isinstance(answer, LookupFailed)]
        absent = frozenset[int]().union(*(failure.absent for failure in failures))
        is_temporary = absent != _BOTH
        text = next(str(one) for one in failures if one.is_temporary is is_temporary)
        raise LookupFailed(text, is_temporary=is_temporary, absent=absent)

    def forget(self, name: str) -> None:
        """Query this name again the next time. Of a name that cannot be one, nothing is kept."""
        with suppress(dns.exception.DNSException):
            self._answers.forget(dns.name.from_text(f"{name}."))

    async def exchangers(self, domain: str) -> MxAnswer:
        """Return a domain's MX records in the order in which to try them (RFC 5321 §5.1)."""
        try:
            answer = await self._resolve(domain, "MX")
        except dns.resolver.NXDOMAIN:
            raise LookupFailed(f"{domain}: no such name in DNS", is_temporary=False) from None
        except dns.resolver.NoAnswer as nothing:
            return MxAnswer((), self._is_secure(nothing.kwargs["response"]))
        except (dns.exception.DNSException, OSError) as error:
            raise LookupFailed(
                f"{domain}: MX lookup failed: {dns_cause(error)}", is_temporary=True
            ) from None
        found = [MxRecord(record.preference, _host_name(record.exchange)) for record in answer]
        shuffle(found)  # the load is shared; the sort keeps the order of equal ones
        ordered = sorted(found, key=lambda exchanger: exchanger.preference)
        return MxAnswer(tuple(ordered), self._is_secure(answer.response))

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        """Return the records of a name of one type, as the name servers have them now."""
        try:
            answer = await self._fresh.resolve(f"{name}.", kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return DnsRecordSet()
        except (dns.exception.DNSException, OSError) as error:
            return DnsRecordSet(failure=dns_cause(error))
        values = tuple(map(_value, answer))
        seconds = answer.rrset.ttl if answer.rrset else 0
        alias_of = _host_name(answer.canonical_name)
        return DnsRecordSet(
            values,
            seconds,
            self._is_secure(answer.response),
            alias_of="" if alias_of == name.lower() else alias_of,
        )

    def _is_secure(self, response: dns.message.Message) -> bool:
        """Tell whether a validating resolver says so, on a safe way."""
        return self._is_trusted and bool(response.flags & dns.flags.AD)

    async def _resolve(self, name: str, record: str) -> dns.resolver.Answer:
        """Return an answer. If dnspython gives up before its time, ask again.

        dnspython measures the time by the wall clock, and gives up when that is set meanwhile.
        """
        began = self._monotonic()
        try:
            return await self._resolver.resolve(f"{name}.", record, search=False)
        except dns.resolver.LifetimeTimeout:
            if self._monotonic() - began > LIFETIME / 2:
                raise
        return await self._resolver.resolve(f"{name}.", record, search=False)

    async def _ask_both(self, name: str) -> Sequence[tuple[IpAddress, ...] | LookupFailed]:
        """Ask for both versions. Once one is known, the other has a limited time (RFC 8305 §3).

        Some name servers never answer to AAAA, and callers have less patience than that takes.
        """
        asked = [asyncio.create_task(self._ask(name, record)) for record in _VERSIONS]
        try:
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            if any(_is_known(one.result()) for one in done):
                await asyncio.wait(asked, timeout=OTHER_VERSION_SECONDS)
            else:
                await asyncio.wait(asked)
            late = LookupFailed(f"{name}: no name server answered in time", is_temporary=True)
            return [one.result() if one.done() else late for one in asked]
        finally:
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(self, name: str, record: str) -> tuple[IpAddress, ...] | LookupFailed:
        try:
            answer = await self._resolve(name, record)
        except dns.resolver.NXDOMAIN:
            text = f"{name}: no such name in DNS"
            return LookupFailed(text, is_temporary=False, absent=_BOTH)
        except dns.resolver.NoAnswer:
            text = f"{name}: no {record} record in DNS"
            return LookupFailed(text, is_temporary=False, absent=frozenset({_VERSIONS[record]}))
        except (dns.exception.DNSException, OSError) as error:
            return LookupFailed(
                f"{name}: {record} lookup failed: {dns_cause(error)}", is_temporary=True
            )
        return tuple(ipaddress.ip_address(record_.address) for record_ in answer)


def _is_loopback(nameserver: object) -> bool:
    try:
        return ipaddress.ip_address(str(nameserver)).is_loopback
    except ValueError:  # a name server by HTTPS
        return False


def _is_known(answer: tuple[IpAddress, ...] | LookupFailed) -> bool:
    return not (isinstance(answer, LookupFailed) and answer.is_temporary)


# In the order in which they are tried: the first that an error is an instance of.
_CAUSES: Final[Mapping[type[Exception], str]] = {
    dns.exception.Timeout: "no name server answered in time",
    dns.resolver.NoNameservers: "no name server could answer",
    dns.resolver.YXDOMAIN: "its alias in DNS is too long",
    dns.exception.SyntaxError: "it is not a valid DNS name",  # of the text of a name
    dns.name.NameTooLong: "it is not a valid DNS name",
    dns.name.LabelTooLong: "it is not a valid DNS name",
}


def dns_cause(error: Exception) -> str:
    """Return the cause in words: the texts of dnspython are long, and its classes jargon."""
    if isinstance(error, OSError):
        return cause_of(error)
    return next(
        (text for kind, text in _CAUSES.items() if isinstance(error, kind)),
        "the answer of DNS cannot be read",
    )


def _value(record: Any) -> str:
    """Return a record as one text: strings are joined, and names are in lower case."""
    match record.rdtype:
        case dns.rdatatype.TXT:  # RFC 7208 §3.3: without blanks between the strings
            return b"".join(record.strings).decode("utf-8", "replace")
        case dns.rdatatype.MX:
            return f"{record.preference} {_host_name(record.exchange)}"
        case dns.rdatatype.PTR | dns.rdatatype.CNAME:
            return _host_name(record.target)
        case _:
            return str(record.to_text())


def _host_name(name: dns.name.Name) -> str:
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


def make_resolver(nameservers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    """Return dnspython's resolver for name servers, (address, port); none: those of the system."""
    if not nameservers:
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            nameservers = [("127.0.0.1", 53)]  # libc's default without resolv.conf
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [address for address, _ in nameservers]
    resolver.nameserver_ports = dict(nameservers)
    return resolver
