"""How a destination's replies count for each recipient (RFC 5321 §4.2.1, §4.2.4, §4.5.3.1.10).

The first reply that is not positive decides, in the order MAIL, RCPT (the recipient's own), DATA,
content. A recipient with only positive replies is delivered. Otherwise:

    reply to      4xx        5xx               5xx about the session (below)
    ---------     --------   ---------------   -----------------------------
    MAIL          deferred   refused, all      deferred, the session ends
    RCPT          deferred   refused, this     deferred, the session ends
    DATA          deferred   refused, taken    deferred, the session ends
    content       deferred   refused, taken    deferred, the session ends
    none came     deferred

- 552 to RCPT is deferred: old servers send it where 452 is meant.
- After DATA, 500 to 504 to content is refused, and so is 500 after BDAT: the commands had been
  taken.

A reply is "about the session" if no change to the message would help. These are 530, 534, 535, 538
(authenticate, or use TLS), 500, 502, 503, 504 (the commands themselves), and any 5xx with such an
enhanced code. 501 is not among them: it is about the address, and one odd address must not hold up
the rest. 421 and replies before MAIL never get here: the session ends, and everything outstanding
is deferred.

Refused mail is kept and marked refused, not bounced. When in doubt a row says deferred.
"""

from typing import Final

from restante.mail.message import HeldMessage
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.smtp.client_transaction import (
    CONTENT,
    DATA,
    MAIL,
    RCPT,
    ClientTransaction,
    DialogueStep,
    needs_smtputf8,
)
from restante.smtp.ehlo_offer import EhloOffer
from restante.smtp.peer_replies import ServerReply
from restante.smtp.replies import Reply

SESSION_CODES: Final = frozenset({500, 502, 503, 504, 530, 534, 535, 538})
# Authentication or encryption required (RFC 4954 §6, RFC 5248 §2.4)
SESSION_STATUSES: Final = frozenset({"5.7.8", "5.7.9", "5.7.10", "5.7.11", "5.7.12"})
# Codes for commands, used for content: aiosmtpd sends 500 for a line that is too long.
_CONTENT_CODES: Final = frozenset({500, 501, 502, 503, 504})
_CHUNK_CODES: Final = frozenset({500, 501})  # BDAT is a command itself
MOST_DOUBTS: Final = 3  # attempts whose final reply could not be read
_PERMANENT_FROM: Final = 500
_TOO_MANY_RECIPIENTS_ONCE: Final = 552
_TOO_MANY_RECIPIENTS: Final = "5.5.3"  # RFC 3463 §3.6, with any code before it
_STAGES: Final = {
    MAIL: TransactionStage.MAIL,
    RCPT: TransactionStage.RCPT,
    DATA: TransactionStage.DATA,
    CONTENT: TransactionStage.CONTENT,
}

# Used in place of the destination's reply, before anything is sent, with the codes it would use.
TOO_MANY_HOPS: Final = Reply(
    554, "5.4.6", "Not sent: this number of Received fields means a mail loop"
)
LACKS_SMTPUTF8: Final = Reply(
    550, "5.6.7", "Not sent: the message needs SMTPUTF8, which {destination} does not offer"
)
TOO_LARGE: Final = Reply(
    552, "5.3.4", "Not sent: {octets} octets are more than the {limit} that {destination} takes"
)
UNSAFE_PATH: Final = Reply(
    553, "5.1.3", "Not sent: an address has a character that no command can carry"
)


def words_to_content(transaction: ClientTransaction) -> str:
    """Return the reply to the content, as text; "" if there is none."""
    return transaction.content.text if transaction.content is not None else ""


def outcome_of(transaction: ClientTransaction, words: str | None = None) -> MessageOutcome:
    """Return the outcome of a transaction that has ended.

    `words` are those to its content, where the caller has spelled them already.
    """
    if words is None:
        words = words_to_content(transaction)
    message = transaction.message
    paths = message.envelope.forward_paths
    recipients = [
        _judge_recipient(transaction, index, path, words) for index, path in enumerate(paths)
    ]
    return MessageOutcome(message.number, tuple(recipients), transaction.passes_dsn_on)


def outcome_as_far_as(transaction: ClientTransaction) -> MessageOutcome | None:
    """Return the outcome of a transaction that was cut short, None if no reply decides anything.

    A recipient that was refused before the connection ended is refused. The others are deferred.
    """
    paths = transaction.message.envelope.forward_paths
    failures = [_decisive(transaction, index) for index in range(len(paths))]
    if all(failure is None or failure[1] is None for failure in failures):
        return None
    return outcome_of(transaction)


def _judge_recipient(
    transaction: ClientTransaction, index: int, path: str, words: str
) -> RecipientOutcome:
    failure = _decisive(transaction, index)
    if failure is None:
        return RecipientOutcome(path, RecipientMove.DELIVERED, words)
    step, reply = failure
    if reply is None:
        return RecipientOutcome(path, RecipientMove.DEFERRED, f"no reply to {step.name}")
    is_session = is_about_session(reply, about_content=_about_content(transaction, step))
    is_put_off = is_session or _has_too_many(transaction, step, reply)
    return RecipientOutcome(
        path,
        RecipientMove.DEFERRED if is_put_off else _move(step, reply),
        reply.text,
        _STAGES[step],
        reply.status,
    )


def _has_too_many(transaction: ClientTransaction, step: DialogueStep, reply: ServerReply) -> bool:
    """Return whether a recipient came after too many others: it then gets its own transaction.

    If the server took none before it, the code can only be about this recipient.
    """
    if step is not RCPT or reply.enhanced != _TOO_MANY_RECIPIENTS:
        return False
    return any(one.is_positive for one in transaction.recipients)


def _decisive(
    transaction: ClientTransaction, index: int
) -> tuple[DialogueStep, ServerReply | None] | None:
    """Return the first missing or negative reply; None only for content taken with 250."""
    own = transaction.recipients[index] if index < len(transaction.recipients) else None
    data = () if transaction.is_chunked else ((DATA, transaction.data),)
    for step, reply in (
        (MAIL, transaction.mail),
        (RCPT, own),
        *data,
        (CONTENT, transaction.content),
    ):
        if reply is None or not reply.is_positive or reply.code not in step.goes_on:
            return step, reply
    return None


def _move(step: DialogueStep, reply: ServerReply) -> RecipientMove:
    if reply.code < _PERMANENT_FROM:
        return RecipientMove.DEFERRED
    if step is RCPT and reply.code == _TOO_MANY_RECIPIENTS_ONCE:
        return RecipientMove.DEFERRED
    return RecipientMove.REFUSED


def is_about_session(reply: ServerReply, *, about_content: frozenset[int] = frozenset()) -> bool:
    """Return whether a 5xx is a complaint that every other message would get too.

    `about_content`: codes that concern one message's content at this step.
    """
    if reply.code in about_content:
        return False
    return reply.code in SESSION_CODES or (
        reply.code >= _PERMANENT_FROM and reply.enhanced in SESSION_STATUSES
    )


def _about_content(transaction: ClientTransaction, step: DialogueStep) -> frozenset[int]:
    if step is not CONTENT:
        return frozenset()
    return _CHUNK_CODES if transaction.is_chunked else _CONTENT_CODES


def session_complaint(transaction: ClientTransaction) -> str:
    """Return the reply for which the session must end, "" if there is none.

    Only decisive replies count: after a refused MAIL, the 503 to RCPT and DATA is normal.
    """
    for index in range(len(transaction.message.envelope.forward_paths)):
        failure = _decisive(transaction, index)
        step, reply = failure or (MAIL, None)
        if reply is not None and is_about_session(
            reply, about_content=_about_content(transaction, step)
        ):
            return reply.text
    return ""


def obstacle(message: HeldMessage, offer: EhloOffer, destination: str) -> Reply | None:
    """Return why a message cannot be sent to a server with this offer, None if it can."""
    if message.goes_in_a_circle:
        return TOO_MANY_HOPS
    if needs_smtputf8(message) and not offer.has_smtputf8:
        return LACKS_SMTPUTF8.fill(destination=destination)
    if 0 < offer.size_limit < message.size:  # RFC 1870 §6.1
        return TOO_LARGE.fill(octets=message.size, limit=offer.size_limit, destination=destination)
    return None


def refused_for(message: HeldMessage, obstacle: Reply) -> MessageOutcome:
    """Refuse every recipient without asking the destination."""
    return _same_for_all(message, RecipientMove.REFUSED, str(obstacle))._replace(is_ours=True)


def deferred_for(message: HeldMessage, reason: str) -> MessageOutcome:
    """Defer every recipient: the destination's result is unknown."""
    return _same_for_all(message, RecipientMove.DEFERRED, reason)


def uncertain_for(message: HeldMessage, garbled: str) -> MessageOutcome:
    """Return the outcome of a message whose final reply could not be read.

    It goes behind the others, and is set apart the third time. The destination may have taken it
    each time. So it is neither sent permanently nor dropped without an operator.
    """
    doubts = message.doubts + 1
    move = RecipientMove.UNCERTAIN if doubts >= MOST_DOUBTS else RecipientMove.DEFERRED
    text = f"the final reply cannot be read; the destination may have taken the message: {garbled}"
    paths = message.envelope.forward_paths
    return MessageOutcome(
        message.number,
        tuple(RecipientOutcome(path, move, text, TransactionStage.CONTENT) for path in paths),
        doubts=doubts,
    )


def _same_for_all(message: HeldMessage, move: RecipientMove, reply: str) -> MessageOutcome:
    paths = message.envelope.forward_paths
    return MessageOutcome(
        message.number, tuple(RecipientOutcome(path, move, reply) for path in paths)
    )
