"""Domains and mailboxes as text that has passed the grammar (RFC 5321 §2.3.5, §4.1.2; RFC 5890).

Two spellings of one domain must meet in one key; otherwise mail is refused that should be held.
So every domain that is compared, stored or looked up is in *canonical* form: lower case, A-labels,
no trailing dot.
"""

import ipaddress
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, NamedTuple

import idna

MAX_DOMAIN_LENGTH = 253  # octets in presentation form, RFC 1035 §2.3.4 less the root label

_LDH_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?!.*\.\.)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\Z"
)
# Texts that are meant as addresses, with their mistakes
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]*)+\Z")
_GROUPS = re.compile(r"[0-9A-Fa-f:.]+(%.*)?\Z")


class Mailbox(NamedTuple):
    """A mailbox as the envelope names it.

    `domain` keeps the peer's spelling; "" where it gave none.
    """

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}" if self.domain else self.local_part


@lru_cache(maxsize=65536)
def canonical_domain(text: str) -> str:
    """Return the one spelling by which a domain is known here.

    Raises ValueError if the text is no domain name. Underscores are let through: they occur in the
    wild and refusing them would refuse mail.
    """
    name = text.removesuffix(".")
    if not name.isascii():
        name = _to_a_labels(name)
    if not _LDH_DOMAIN.match(name) or name.rpartition(".")[2].isdigit():
        message = f"{_meant(name)}: {text!r}"
        raise ValueError(message)
    return name.lower()


def _meant(name: str) -> str:
    """Say what a text fails to be: people who write an address do not look for a domain name."""
    bare, slash, _ = name.strip("[]").partition("/")
    if not (_NUMBERS.match(bare) or (":" in bare and _GROUPS.match(bare))):
        return "not a domain name"
    if slash:
        return "not a network"
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return "not an address"
    return "an address, not a domain name"


def _to_a_labels(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        message = f"not a domain name: {name!r} ({error})"
        raise ValueError(message) from error


def is_address_literal(domain: str) -> bool:
    """Tell whether an envelope's domain is an address in brackets (RFC 5321 §4.1.3)."""
    return domain.startswith("[")


def literal_address(domain: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address inside `[192.0.2.1]` or `[IPv6:2001:db8::1]`, or None."""
    if not (domain.startswith("[") and domain.endswith("]")):
        return None
    inner = domain[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            return ipaddress.IPv6Address(inner[5:])
        return ipaddress.IPv4Address(inner)
    except ValueError:
        return None


def split_mailbox(text: str) -> Mailbox:
    """Split an accepted mailbox at its last `@`; a quoted local part may contain others."""
    local_part, at, domain = text.rpartition("@")
    return Mailbox(local_part, domain) if at else Mailbox(domain, "")


def path_matches(path: str, pattern: str) -> bool:
    """Tell whether a path matches a pattern with `*`, `?` and `[…]`, without regard to case."""
    return fnmatchcase(path.lower(), pattern.lower())


PATHS_SHOWN: Final = 10  # in one line of the log: a message may have a thousand recipients


def shown_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the first addresses."""
    return tuple(paths[:PATHS_SHOWN])
