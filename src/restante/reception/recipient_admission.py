"""From RCPT to its answer.

    find_recipient        pure      the path's hosted domain, or a refusal by the address alone
    FactsLookup           memory    the facts for the domain's policy
    the callout           network   only for an unknown mailbox, where the policy wants it
    object_to_recipient   pure      the domain's policy

An answer that waits for nothing is returned as it is, and no task is needed for it. Facts are
fetched once, and once more after a callout, because time has passed.
"""

from collections.abc import Coroutine
from typing import Any

from restante.mail.address import Mailbox
from restante.reception.admission import (
    HostedRecipient,
    Objection,
    find_recipient,
    object_to_recipient,
    wants_callout,
)
from restante.reception.services import Services
from restante.smtp.commands import Mail

Admission = HostedRecipient | Objection


def admit_recipient(
    path: Mailbox, mail: Mail, services: Services
) -> Admission | Coroutine[Any, Any, Admission]:
    """Answer RCPT: the accepted recipient, the objection, or a coroutine that returns either."""
    recipient = find_recipient(
        path,
        needs_smtputf8=mail.needs_smtputf8,
        directory=services.directory.now,
        settings=services.admission_settings,
    )
    if isinstance(recipient, Objection) or not services.facts.matter(recipient.domain):
        return recipient
    facts = services.facts.of_recipient(recipient)
    if wants_callout(facts, mail.size):
        return _admit_after_callout(recipient, mail, services)
    return _apply_policy(recipient, object_to_recipient(facts, mail.size), services)


async def _admit_after_callout(
    recipient: HostedRecipient, mail: Mail, services: Services
) -> Admission:
    answer = await services.callout(recipient.domain, recipient.path)
    facts = services.facts.of_recipient(recipient)
    objection = object_to_recipient(facts, mail.size, answer=answer)
    return _apply_policy(recipient, objection, services)


def _apply_policy(
    recipient: HostedRecipient, objection: Objection | None, services: Services
) -> Admission:
    if objection is not None and objection.is_quota:
        services.arrivals.refused_for_quota(recipient.domain)
    return objection or recipient
