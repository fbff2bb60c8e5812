"""The rows of a domain's check: a verdict, its evidence, and the remedy. Pure.

A row passes, warns or fails by facts alone. Without the facts it is unknown, and the remedy says
how to get them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from restante.stable_word import StableWord


class ReadinessVerdict(StableWord):
    """The verdict of a row."""

    PASS = "pass", "PASS"
    UNKNOWN = "unknown", "UNKNOWN"  # the facts are missing
    WARN = "warn", "WARN"  # mail may be refused, delayed, or believed where it should not be
    FAIL = "fail", "FAIL"  # mail will be lost to the domain, or forgeries will be believed


class ReadinessCheck(StableWord):
    """The checks, in the order in which they are shown."""

    MX = "mx", "MX records"
    OWN_NAME = "own-name", "name of this server"
    DOMAIN_SPF = "domain-spf", "SPF of the domain"
    OWN_SPF = "own-spf", "SPF of this server"
    OWN_CERTIFICATE = "own-certificate", "certificate of this server"
    MTA_STS = "mta-sts", "MTA-STS policy"
    TLSA = "tlsa", "TLSA records"
    TLS_RPT = "tls-rpt", "reports about TLS"
    TTL = "ttl", "lifetime of DNS records"
    REACHABLE = "reachable", "connection"
    SIZE = "size", "size of messages"
    EXTENSIONS = "extensions", "SMTP extensions"
    STARTTLS = "starttls", "TLS"
    LOGIN = "login", "login"
    ACCEPTANCE = "acceptance", "mail from this server"
    UNKNOWN_RECIPIENT = "unknown-recipient", "unknown recipients"
    OWN_DOMAIN = "own-domain", "own-domain rule"
    RATE = "rate", "rate limits"
    CLIENT_ADDRESS = "client-address", "original client"
    FILTERS = "filters", "trust of its filters"
    RELEASE = "release", "release requests"
    DRILL = "drill", "drill"
    ROOM = "room", "room and retention"
    BLOCKLISTS = "blocklists", "blocklists"


@dataclass(frozen=True, slots=True)
class ReadinessRow:
    """One row. Texts are one line each, without a full stop at the end."""

    check: ReadinessCheck
    verdict: ReadinessVerdict
    evidence: str
    remedy: str = ""
    snippet: str = ""  # lines to copy: DNS records, or a setting


ReadinessRows = Iterator[ReadinessRow]


def passed(check: ReadinessCheck, evidence: str) -> ReadinessRow:
    """Return a row without a problem."""
    return ReadinessRow(check, ReadinessVerdict.PASS, evidence)


def warned(check: ReadinessCheck, evidence: str, remedy: str, snippet: str = "") -> ReadinessRow:
    """Return a row with a problem that need not cost mail."""
    return ReadinessRow(check, ReadinessVerdict.WARN, evidence, remedy, snippet)


def failed(check: ReadinessCheck, evidence: str, remedy: str, snippet: str = "") -> ReadinessRow:
    """Return a row with a problem that will cost mail, or let forgeries pass."""
    return ReadinessRow(check, ReadinessVerdict.FAIL, evidence, remedy, snippet)


def not_known(check: ReadinessCheck, evidence: str, remedy: str) -> ReadinessRow:
    """Return a row whose facts are missing."""
    return ReadinessRow(check, ReadinessVerdict.UNKNOWN, evidence, remedy)


_ORDER: Final = (
    ReadinessVerdict.PASS,
    ReadinessVerdict.UNKNOWN,
    ReadinessVerdict.WARN,
    ReadinessVerdict.FAIL,
)


def worst_of(rows: Iterable[ReadinessRow]) -> ReadinessVerdict:
    """Return the worst verdict of rows; a missing fact is no problem, but better than nothing."""
    return max((row.verdict for row in rows), key=_ORDER.index, default=ReadinessVerdict.UNKNOWN)
