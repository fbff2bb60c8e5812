"""From RCPT to its answer.

    find_recipient        pure      the path's hosted domain, or a refusal by the address alone
    FactsLookup           memory    the facts for the domain's policy
    the callout           network   only for an unknown mailbox, where the policy wants it
    object_to_recipient   pure      the domain's policy
    the checks                      verdicts about the recipient (restante/checks)

An answer that waits for nothing is returned as it is, and no task is needed for it. Facts are
fetched once, and again after a callout, because time has passed.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from restante.checks.session_checks import PendingRefusal
from restante.checks.verdict import CheckRefused
from restante.mail.address import Mailbox
from restante.reception.admission import (
    AdmissionObjection,
    AdmissionSettings,
    HostedRecipient,
    find_recipient,
    in_outage,
    object_to_recipient,
    wants_callout,
)
from restante.reception.admitted_transaction import AdmittedTransaction
from restante.reception.after_holding import AfterHolding
from restante.reception.client_name import NameSource
from restante.reception.domain_facts import FactsLookup
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import HostedDomain

Admission = HostedRecipient | AdmissionObjection

AskCallout = Callable[[HostedDomain, Mailbox], Awaitable[bool | None]]
"""Asks a domain's destination whether a mailbox exists; None if it cannot be known now."""


async def nothing_known(_domain: HostedDomain, _path: Mailbox) -> bool | None:
    """Ask nobody."""
    return None


def never_a_drill(_envelope_id: str, _domain: HostedDomain) -> bool:
    """Know no drills."""
    return False


@dataclass(frozen=True, slots=True)
class AdmissionParts:
    """The parts that answer RCPT, shared by all sessions of a listener."""

    directory: LiveDirectory
    facts: FactsLookup
    after_holding: AfterHolding  # gets the refusals for a quota
    settings: AdmissionSettings
    callout: AskCallout = nothing_known
    is_drill: Callable[[str, HostedDomain], bool] = never_a_drill  # by the envelope id
    client_names: NameSource | None = None  # asked where the settings of reception say so


def admit_recipient(
    path: Mailbox, transaction: AdmittedTransaction, parts: AdmissionParts
) -> Admission | Coroutine[Any, Any, Admission]:
    """Answer RCPT: the accepted recipient, the objection, or a coroutine that returns either."""
    mail = transaction.mail
    recipient = find_recipient(
        path,
        directory=parts.directory.now,
        settings=parts.settings,
    )
    if isinstance(recipient, AdmissionObjection):
        return recipient
    if not parts.facts.matter(recipient.domain):
        return _ask_checks(recipient, transaction)
    facts = parts.facts.of_recipient(recipient)
    if mail.envelope_id and parts.is_drill(mail.envelope_id, recipient.domain):
        facts = in_outage(facts)
    if wants_callout(facts, mail.size):
        return _admit_after_callout(recipient, transaction, parts)
    objection = _note(object_to_recipient(facts, mail.size), recipient.domain, parts)
    return objection or _ask_checks(recipient, transaction)


async def _admit_after_callout(
    recipient: HostedRecipient, transaction: AdmittedTransaction, parts: AdmissionParts
) -> Admission:
    answer = await parts.callout(recipient.domain, recipient.path)
    facts = parts.facts.of_recipient(recipient)
    objection = object_to_recipient(facts, transaction.mail.size, answer=answer)
    if (objection := _note(objection, recipient.domain, parts)) is not None:
        return objection
    admission = _ask_checks(recipient, transaction)
    return admission if isinstance(admission, Admission) else await admission


def _note(
    objection: AdmissionObjection | None, domain: HostedDomain, parts: AdmissionParts
) -> AdmissionObjection | None:
    """Record an objection that the customer is told about."""
    if objection is not None and objection.is_quota:
        parts.after_holding.refused_for_quota(domain)
    return objection


def _ask_checks(
    recipient: HostedRecipient, transaction: AdmittedTransaction
) -> Admission | Coroutine[Any, Any, Admission]:
    answer = transaction.checks.recipient(recipient)
    if answer is None:
        return recipient
    if isinstance(answer, CheckRefused):
        return AdmissionObjection(answer.reply, answer.reason)
    return _await_checks(recipient, answer)


async def _await_checks(recipient: HostedRecipient, examination: PendingRefusal) -> Admission:
    refused = await examination
    return recipient if refused is None else AdmissionObjection(refused.reply, refused.reason)
