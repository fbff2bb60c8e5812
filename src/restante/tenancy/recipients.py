"""Which mailboxes a domain has: those on its list, and those its destination took or refused. Pure.

A mailbox is known here by its local part in lower case. RFC 5321 §2.4 allows case to matter, but no
server uses that. A `*` in an entry of the list stands for any characters.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from restante.mail.address import canonical_domain
from restante.tenancy.policy import DAY, Policy, RecipientPolicy

TAKEN_COUNTS_FOR: Final = 30 * DAY  # a mailbox may be closed
REFUSED_COUNTS_FOR: Final = 7 * DAY  # or opened
_LONGEST: Final = 64  # octets, RFC 5321 §4.5.3.1.1
_POSTMASTER: Final = "postmaster"  # RFC 5321 §4.5.1: always there
_TAG: Final = "+"
_ANY: Final = "*"


class RecipientSource(StrEnum):
    """Where the knowledge of a mailbox comes from."""

    LIST = "list"  # the operator or the customer
    DRAIN = "drain"  # the destination, when mail was handed over
    CALL = "call"  # the destination, when it was asked


@dataclass(frozen=True, slots=True)
class Recipient:
    """One entry. From one source there is at most one for each name."""

    name: str  # local part in lower case, or a pattern
    source: RecipientSource
    is_there: bool  # False: the destination said that it is not
    at: float  # Unix time

    @property
    def key(self) -> tuple[str, str]:
        """The key that distinguishes the entries of a domain, and orders them."""
        return self.source, self.name


class MailboxExistence(StrEnum):
    """Whether a mailbox is known to exist."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class RecipientBook:
    """One domain's entries, as they are looked up: one look in a set for most."""

    listed: set[str] = field(default_factory=set)
    patterns: list[re.Pattern[str]] = field(default_factory=list)
    learned: dict[str, tuple[bool, float]] = field(
        default_factory=dict
    )  # name → is there, since when that is known

    def add(self, recipients: Iterable[Recipient]) -> None:
        """Add entries: a long list comes in parts."""
        for recipient in recipients:
            if recipient.source is not RecipientSource.LIST:
                if (
                    recipient.at >= self.learned.get(recipient.name, (False, float("-inf")))[1]
                ):  # the latest statement counts
                    self.learned[recipient.name] = (recipient.is_there, recipient.at)
            elif _ANY in recipient.name:
                self.patterns.append(_compiled(recipient.name))
            else:
                self.listed.add(recipient.name)

    def known(self, local_part: str, policy: Policy, now: float) -> MailboxExistence:
        """Return what is known of a mailbox under this policy."""
        if policy.recipients is RecipientPolicy.ANY:
            return MailboxExistence.YES
        name = local_part.lower()
        known = self._known(name, policy, now)
        if known is MailboxExistence.UNKNOWN and policy.ignores_tags and _TAG in name[1:]:
            return self._known(name[: name.index(_TAG, 1)], policy, now)
        return known

    def _known(self, name: str, policy: Policy, now: float) -> MailboxExistence:
        if (
            name == _POSTMASTER
            or name in self.listed
            or any(pattern.fullmatch(name) for pattern in self.patterns)
        ):
            return MailboxExistence.YES
        return (
            self._learned(name, now)
            if policy.recipients is RecipientPolicy.LEARNED
            else MailboxExistence.UNKNOWN
        )

    def _learned(self, name: str, now: float) -> MailboxExistence:
        is_there, at = self.learned.get(name, (False, float("-inf")))
        if now - at > (TAKEN_COUNTS_FOR if is_there else REFUSED_COUNTS_FOR):
            return MailboxExistence.UNKNOWN
        return MailboxExistence.YES if is_there else MailboxExistence.NO


def make_book(recipients: Iterable[Recipient]) -> RecipientBook:
    """Make the book of these entries."""
    book = RecipientBook()
    book.add(recipients)
    return book


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split(_ANY))), re.DOTALL)


def parse_recipient(domain: str, text: str) -> str:
    """Return the name of an entry, given as a local part or an address of this domain.

    Raises ValueError.
    """
    local_part, at, given = text.strip().rpartition("@")
    if not at:
        local_part = given
    elif canonical_domain(given) != domain:
        raise ValueError(f"{text!r} is not in {domain}")
    if (
        not 0 < len(local_part.encode()) <= _LONGEST
        or not local_part.isprintable()
        or " " in local_part
    ):
        raise ValueError(f"{text!r} is not an address")
    return local_part.lower()
