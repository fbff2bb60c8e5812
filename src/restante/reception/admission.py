"""Whether to accept a recipient, and the content that followed. Pure; facts are arguments.

Permanent refusals exist only where time cures nothing. These are a domain that is not hosted, an
unknown mailbox where the customer guarantees the recipient list, and a message that is too large.
All other refusals are 4xx: a backup that answers 5xx turns the primary's bad hour into a bounce.

A domain's policy objects to a message in this order:

    DNS does not prove the domain yet              451    --proof txt or mx
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
from dataclasses import dataclass, replace

from restante.mail.address import Mailbox, canonical_domain, is_address_literal
from restante.phrases import suspended
from restante.smtp.replies import (
    CANNOT_TELL,
    MESSAGE_TOO_LARGE,
    NO_MAILBOX,
    NOT_NOW,
    NOT_PROVEN,
    POSTMASTER_UNSET,
    QUOTA_FULL,
    RELAYING_DENIED,
    Reply,
)
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.tenancy.model import Directory, HostedDomain, IpAddress
from restante.tenancy.policy import UnknownRecipientReply, WhileSuspended
from restante.tenancy.quota import NO_QUOTA, Quota
from restante.tenancy.recipients import MailboxExistence


@dataclass(frozen=True, slots=True)
class AdmissionSettings:
    """The operator's settings for admission."""

    hostname: str
    postmaster: Mailbox | None  # in a hosted domain; None: not set
    addresses: frozenset[IpAddress] = frozenset()  # of the listeners
    names: frozenset[str] = frozenset()  # ours other than hostname (mail/own_names.py)


@dataclass(frozen=True, slots=True)
class HostedRecipient:
    """A forward-path in a hosted domain. RCPT's path is parsed once, and this is the result."""

    path: Mailbox
    forward_path: str  # the same, as it is held and handed over
    domain: HostedDomain


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """The state of one hosted domain at the last commit and the last look at its destination."""

    now: float  # Unix time
    usage: DomainUsage = NO_USAGE
    account_usage: DomainUsage = NO_USAGE
    account_quota: Quota = NO_QUOTA
    is_up: bool = False  # the destination is known to answer


@dataclass(frozen=True, slots=True)
class AdmissionFacts:
    """All facts to which a domain's policy is applied at RCPT. They are fetched once."""

    recipient: HostedRecipient
    domain_facts: DomainFacts
    known: (
        MailboxExistence | None
    )  # whether the mailbox exists; None: the domain's recipients are unreadable


@dataclass(frozen=True, slots=True)
class AdmissionObjection:
    """Why mail is not taken: for a domain, or in general."""

    reply: Reply
    reason: str = ""  # the true one, for the log
    is_quota: bool = False


def find_recipient(
    path: Mailbox, *, directory: Directory, settings: AdmissionSettings
) -> HostedRecipient | AdmissionObjection:
    """Find the hosted domain of a forward-path, or refuse it by the address alone.

    `object_to_recipient` then applies the domain's policy.
    """
    if is_own_postmaster(path, settings.hostname):
        # It must exist (RFC 5321 §4.5.1), but there is no local mailbox.
        own = settings.postmaster
        return (_find_hosted(own, directory) if own else None) or AdmissionObjection(
            POSTMASTER_UNSET
        )
    return _find_hosted(path, directory) or AdmissionObjection(RELAYING_DENIED)


def object_to_recipient(
    facts: AdmissionFacts, announced: int, *, answer: bool | None = None
) -> AdmissionObjection | None:
    """Return the policy's objection to one more message.

    `announced` is its SIZE in octets, 0 without one. `answer` is the destination's answer about the
    mailbox just now; None if it was not asked or could not tell.
    """
    domain, domain_facts = facts.recipient.domain, facts.domain_facts
    return (
        _object_to_domain(domain, domain_facts, announced)
        or _object_to_mailbox(domain, facts.known, answer=answer)
        or object_to_quota(domain, domain_facts, announced)
    )


def in_outage(facts: AdmissionFacts) -> AdmissionFacts:
    """Return the facts as they are while the destination is down: a drill comes in anyway."""
    return replace(facts, domain_facts=replace(facts.domain_facts, is_up=False))


def wants_callout(facts: AdmissionFacts, announced: int) -> bool:
    """Return whether the destination must be asked about a mailbox before RCPT is answered."""
    domain = facts.recipient.domain
    return (
        facts.known is MailboxExistence.UNKNOWN
        and domain.policy.asks_destination
        and _object_to_domain(domain, facts.domain_facts, announced) is None
    )


def _object_to_domain(
    domain: HostedDomain, domain_facts: DomainFacts, announced: int
) -> AdmissionObjection | None:
    """Return the objection that holds for every mailbox of the domain."""
    policy = domain.policy
    if policy.awaits_proof:
        return AdmissionObjection(NOT_PROVEN, "the record that proves the domain is missing")
    suspension = policy.suspension_at(domain_facts.now)
    if suspension is not None and suspension.mail is WhileSuspended.DEFER:
        return AdmissionObjection(NOT_NOW, suspended(domain.name, suspension.reason))
    if policy.awaits_outage(domain_facts.now, is_up=domain_facts.is_up):
        return AdmissionObjection(NOT_NOW, "the destination is to take its mail itself")
    return _object_to_size(domain, announced)


def _object_to_mailbox(
    domain: HostedDomain, known: MailboxExistence | None, *, answer: bool | None
) -> AdmissionObjection | None:
    """Object to an unknown mailbox, but never because the destination is down.

    Without an answer now, only recipients learned earlier count.
    """
    if known is MailboxExistence.UNKNOWN and answer is not None:
        known = MailboxExistence.YES if answer else MailboxExistence.NO
    match known, domain.policy.unknown:
        case (None | MailboxExistence.YES, _) | (
            MailboxExistence.UNKNOWN,
            UnknownRecipientReply.ACCEPT,
        ):
            return None
        case MailboxExistence.NO, _:
            return AdmissionObjection(
                NO_MAILBOX, "the destination said that there is no such mailbox"
            )
        case _, UnknownRecipientReply.DEFER:
            return AdmissionObjection(CANNOT_TELL, "the mailbox is not known")
    return AdmissionObjection(NO_MAILBOX, "the mailbox is not known")


def object_to_content(
    size: int, domains: Iterable[tuple[HostedDomain, DomainFacts]]
) -> AdmissionObjection | None:
    """Say why content of this size is not taken; None as soon as one of its domains takes it."""
    found: AdmissionObjection | None = None
    for domain, facts in domains:
        found = _object_to_size(domain, size) or object_to_quota(domain, facts, size)
        if found is None:
            return None
    return found


def _object_to_size(domain: HostedDomain, size: int) -> AdmissionObjection | None:
    limit = domain.policy.message_octets
    if limit is None or size <= limit:
        return None
    return AdmissionObjection(
        MESSAGE_TOO_LARGE, f"{domain.name} takes messages of up to {limit} octets"
    )


def object_to_quota(
    domain: HostedDomain, facts: DomainFacts, size: int
) -> AdmissionObjection | None:
    """Object if one more message of this size exceeds the quota of its domain or its account."""
    usage, whole = facts.usage, facts.account_usage
    if not domain.policy.quota.has_room(usage.octets, usage.messages, size):
        return AdmissionObjection(
            QUOTA_FULL, f"the quota of {domain.name} is reached", is_quota=True
        )
    if not facts.account_quota.has_room(whole.octets, whole.messages, size):
        return AdmissionObjection(
            QUOTA_FULL, f"the quota of account {domain.account} is reached", is_quota=True
        )
    return None


def is_own_postmaster(path: Mailbox, hostname: str) -> bool:
    """Return whether a path is this server's postmaster, which must exist (RFC 5321 §4.5.1)."""
    return path.local_part.lower() == "postmaster" and path.domain.lower() in ("", hostname)


def _find_hosted(path: Mailbox, directory: Directory) -> HostedRecipient | None:
    if is_address_literal(path.domain):
        return None
    try:
        domain = directory.domains.get(canonical_domain(path.domain))
    except ValueError:
        return None
    return HostedRecipient(path, str(path), domain) if domain else None
