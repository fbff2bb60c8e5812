"""Whether to take responsibility for a recipient. Pure; the facts come in as arguments.

Permanent refusals exist for what no time cures: a domain that is not hosted. Everything else is 4xx: a backup that
answers 5xx turns the primary's bad hour into a bounce (DESIGN §8).
"""

from dataclasses import dataclass

from restante.mail.address import Mailbox, canonical_domain, is_address_literal, split_mailbox
from restante.smtp.replies import NEEDS_SMTPUTF8, POSTMASTER_UNSET, RECIPIENT_OK, RELAYING_DENIED, Reply
from restante.tenancy.model import Directory, HostedDomain


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one RCPT, and if it is positive, whose mail it is and to what address."""

    reply: Reply
    domain: HostedDomain | None = None
    forward_path: str = ""


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What the operator set that bears on admission."""

    hostname: str
    postmaster: str  # mailbox in a hosted domain, "" for none


def admit_recipient(path: Mailbox, *, needs_smtputf8: bool, directory: Directory, rules: HouseRules) -> Admission:
    """Answer RCPT."""
    if not needs_smtputf8 and not str(path).isascii():
        return Admission(NEEDS_SMTPUTF8)
    if is_own_postmaster(path, rules.hostname):
        return _admit_postmaster(directory, rules)
    return _admit_hosted(path, directory) or Admission(RELAYING_DENIED)


def is_own_postmaster(path: Mailbox, hostname: str) -> bool:
    """Tell whether a path is the postmaster of this server, whom every server must know (RFC 5321 §4.5.1)."""
    return path.local_part.lower() == "postmaster" and path.domain.lower() in ("", hostname)


def _admit_postmaster(directory: Directory, rules: HouseRules) -> Admission:
    """Send our own postmaster's mail to the mailbox on record; we have none ourselves."""
    own = _admit_hosted(split_mailbox(rules.postmaster), directory) if rules.postmaster else None
    return own or Admission(POSTMASTER_UNSET)


def _admit_hosted(path: Mailbox, directory: Directory) -> Admission | None:
    if is_address_literal(path.domain):
        return None
    try:
        domain = directory.domains.get(canonical_domain(path.domain))
    except ValueError:
        return None
    return Admission(RECIPIENT_OK, domain, str(path)) if domain else None
