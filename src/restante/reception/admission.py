"""Whether to accept a recipient, and the content that followed. Pure; facts are arguments.

Permanent refusals exist only where time cures nothing. These are a domain that is not hosted, an
unknown mailbox where the customer guarantees the recipient list, and a message that is too large.
All other refusals are 4xx: a backup that answers 5xx turns the primary's bad hour into a bounce.

A domain's policy objects to a message in this order:

    suspended, and mail is deferred                450
    the destination must take its mail itself      450    --accept when-down while it answers,
                                                          --force-accept off
    larger than the domain takes                   552    by SIZE at RCPT (RFC 1870 §6.1),
                                                          otherwise at the end of content
    the destination said: no such mailbox          550
    unknown mailbox                                by policy: taken (default), 450, 550
    no room within the domain's quota              452    always: mail that leaves makes room
    no room within its account's                   452

A message for several domains has one reply at the end of its content. It is refused only if every
one of them objects; otherwise it is held for all. So a limit can be exceeded by one message, and no
domain loses mail.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from restante.mail.address import Mailbox, canonical_domain, is_address_literal, split_mailbox
from restante.phrases import suspended
from restante.smtp.replies import (
    CANNOT_TELL,
    MESSAGE_TOO_LARGE,
    NEEDS_SMTPUTF8,
    NO_MAILBOX,
    NOT_NOW,
    POSTMASTER_UNSET,
    QUOTA_FULL,
    RECIPIENT_OK,
    RELAYING_DENIED,
    Reply,
)
from restante.store.interface import NO_USAGE, Usage
from restante.tenancy.model import Directory, HostedDomain, IpAddress
from restante.tenancy.policy import Unknown, WhileSuspended
from restante.tenancy.quota import NO_QUOTA, Quota
from restante.tenancy.recipients import Known, RecipientBook


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one RCPT; if it is positive, also the domain and the forward-path."""

    reply: Reply
    domain: HostedDomain | None = None
    forward_path: str = ""
    reason: str = ""  # the true one, for the log


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """The operator's settings for admission."""

    hostname: str
    postmaster: str  # mailbox in a hosted domain, "" for none
    addresses: frozenset[IpAddress] = frozenset()  # of the listeners


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """The state of one hosted domain at the last commit and the last look at its destination."""

    now: float  # Unix time
    usage: Usage = NO_USAGE
    account_usage: Usage = NO_USAGE
    account_quota: Quota = NO_QUOTA
    is_up: bool = False  # the destination is known to answer
    book: RecipientBook | None = (
        None  # None: the domain's recipients could not be read, so all are taken
    )


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a domain's mail is not taken."""

    reply: Reply
    reason: str
    is_quota: bool = False


def admit_recipient(
    path: Mailbox, *, needs_smtputf8: bool, directory: Directory, settings: AdmissionSettings
) -> Admission:
    """Answer RCPT by the address alone; `object_to_recipient` applies the domain's policy."""
    if not needs_smtputf8 and not str(path).isascii():
        return Admission(NEEDS_SMTPUTF8)
    if is_own_postmaster(path, settings.hostname):
        return _admit_postmaster(directory, settings)
    return _admit_hosted(path, directory) or Admission(RELAYING_DENIED)


def object_to_recipient(
    domain: HostedDomain,
    local_part: str,
    standing: DomainFacts,
    announced: int,
    *,
    answer: bool | None = None,
) -> Objection | None:
    """Return the policy's objection to one more message.

    `announced` is its SIZE in octets, 0 without one. `answer` is the destination's answer about the
    mailbox just now; None if it was not asked or could not tell.
    """
    policy = domain.policy
    suspension = policy.suspension_at(standing.now)
    if suspension is not None and suspension.mail is WhileSuspended.DEFER:
        return Objection(NOT_NOW, suspended(domain.name, suspension.reason))
    if policy.awaits_outage(standing.now, is_up=standing.is_up):
        return Objection(NOT_NOW, "the destination is to take its mail itself")
    return (
        _object_to_size(domain, announced)
        or _object_to_mailbox(domain, local_part, standing, answer=answer)
        or object_to_quota(domain, standing, announced)
    )


def _object_to_mailbox(
    domain: HostedDomain, local_part: str, standing: DomainFacts, *, answer: bool | None
) -> Objection | None:
    """Object to an unknown mailbox, but never because the destination is down.

    Without an answer now, only recipients learned earlier count.
    """
    if standing.book is None:
        return None
    known = standing.book.known(local_part, domain.policy, standing.now)
    if known is Known.UNKNOWN and answer is not None:
        known = Known.YES if answer else Known.NO
    match known, domain.policy.unknown:
        case (Known.YES, _) | (Known.UNKNOWN, Unknown.ACCEPT):
            return None
        case Known.NO, _:
            return Objection(NO_MAILBOX, "the destination said that there is no such mailbox")
        case _, Unknown.DEFER:
            return Objection(CANNOT_TELL, "the mailbox is not known")
    return Objection(NO_MAILBOX, "the mailbox is not known")


def wants_inquiry(domain: HostedDomain, local_part: str, standing: DomainFacts) -> bool:
    """Return whether the destination must be asked about a mailbox before RCPT is answered."""
    policy = domain.policy
    if not policy.asks_destination or standing.book is None:
        return False
    return standing.book.known(local_part, policy, standing.now) is Known.UNKNOWN


def object_to_content(
    size: int, domains: Iterable[tuple[HostedDomain, DomainFacts]]
) -> Objection | None:
    """Say why content of this size is not taken; None as soon as one of its domains takes it."""
    found: Objection | None = None
    for domain, standing in domains:
        found = _object_to_size(domain, size) or object_to_quota(domain, standing, size)
        if found is None:
            return None
    return found


def _object_to_size(domain: HostedDomain, size: int) -> Objection | None:
    limit = domain.policy.message_octets
    if limit is None or size <= limit:
        return None
    return Objection(MESSAGE_TOO_LARGE, f"{domain.name} takes messages of up to {limit} octets")


def object_to_quota(domain: HostedDomain, standing: DomainFacts, size: int) -> Objection | None:
    """Object if one more message of this size exceeds the quota of its domain or its account."""
    usage, whole = standing.usage, standing.account_usage
    if not domain.policy.quota.has_room(usage.octets, usage.messages, size):
        return Objection(QUOTA_FULL, f"the quota of {domain.name} is reached", is_quota=True)
    if not standing.account_quota.has_room(whole.octets, whole.messages, size):
        return Objection(
            QUOTA_FULL, f"the quota of account {domain.account} is reached", is_quota=True
        )
    return None


def is_own_postmaster(path: Mailbox, hostname: str) -> bool:
    """Return whether a path is this server's postmaster, which must exist (RFC 5321 §4.5.1)."""
    return path.local_part.lower() == "postmaster" and path.domain.lower() in ("", hostname)


def _admit_postmaster(directory: Directory, settings: AdmissionSettings) -> Admission:
    """Map our own postmaster to the mailbox on record; there is no local mailbox."""
    own = (
        _admit_hosted(split_mailbox(settings.postmaster), directory)
        if settings.postmaster
        else None
    )
    return own or Admission(POSTMASTER_UNSET)


def _admit_hosted(path: Mailbox, directory: Directory) -> Admission | None:
    if is_address_literal(path.domain):
        return None
    try:
        domain = directory.domains.get(canonical_domain(path.domain))
    except ValueError:
        return None
    return Admission(RECIPIENT_OK, domain, str(path)) if domain else None
