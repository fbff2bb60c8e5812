"""A look whether a destination that refuses clients would take mail from us: MAIL, RCPT, no DATA.

The session is in our own name, and like a callout (callout_session.py). RCPT names a mailbox for
which mail is held. The reply shows one of these:

    2xx, or 5xx with X.1.x (RFC 3463: the address)    it would take our mail
    4xx by a policy (queue/deferred_by_policy.py)      the same: greylisting says so of strangers
    5xx otherwise                                      it refuses us too
    4xx otherwise, or no reply to RCPT                 it is in trouble

A mailbox that a callout cannot name is not asked about. Then the look ends after EHLO.
"""

import asyncio
from typing import Final

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.callout_session import call_any
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.destination_probe import probe
from restante.delivery.dial_plan import DialPlan
from restante.delivery.route import NoRoute
from restante.delivery.stop_rules import AttemptStop
from restante.network.tls import TlsFailed
from restante.queue.deferred_by_policy import is_by_policy
from restante.queue.recipient_status import RecipientMove, RecipientOutcome, TransactionStage
from restante.smtp.client_transaction import is_safe_path
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke

LOOK_SECONDS: Final = 30.0
_ABOUT_ADDRESS: Final = "1."  # the subject of the enhanced code


async def look_with_mail(
    plan: DialPlan, mailbox: str, context: DeliveryContext
) -> AttemptStop | None:
    """Return None if the destination would take our mail, otherwise why the attempt must end."""
    if not (mailbox.isascii() and is_safe_path(mailbox)):
        reason = await probe(plan.destination, context)
        return AttemptStop(reason, AttemptKind.STOPPED) if reason else None
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            reply = await call_any(plan, mailbox, context)
    except TimeoutError:
        return AttemptStop("timed out waiting for a reply", AttemptKind.STOPPED)
    except (NoRoute, OSError, PeerBroke, TlsFailed, EOFError) as error:
        return AttemptStop(str(error) or "the connection was closed", AttemptKind.STOPPED)
    return judged(reply, mailbox)


def judged(reply: ServerReply, mailbox: str) -> AttemptStop | None:
    """Return what the reply to RCPT shows, as above."""
    status = reply.status
    if reply.is_positive or (status.is_permanent and status.topic.startswith(_ABOUT_ADDRESS)):
        return None
    if status.is_permanent:
        return AttemptStop(reply.text, AttemptKind.REFUSING)
    deferred = RecipientOutcome(
        mailbox, RecipientMove.DEFERRED, reply.text, TransactionStage.RCPT, status
    )
    return None if is_by_policy(deferred) else AttemptStop(reply.text, AttemptKind.STOPPED)
