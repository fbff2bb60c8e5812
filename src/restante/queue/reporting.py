"""Which recipients a report may name (RFC 3461 §4.1, §5.2.2).

Where none may be spoken of, there is no report.

    to report   without NOTIFY    NOTIFY has it    NOTIFY has it not, or is NEVER
    ---------   --------------    -------------    ------------------------------
    failed      yes               FAILURE          no
    delayed     no                DELAY            no
    relayed     no                SUCCESS          no

There is never a report on mail from the null reverse-path. Reports themselves come from there, and
a report is never answered by a report (RFC 5321 §4.5.5). Nor is there one on mail that was accepted
under suspicion: its reverse-path may belong to somebody who never sent it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from restante.mail.address import is_address_literal, split_mailbox
from restante.mail.delivery_report import ReportAction, ReportedRecipient, ReportFacts
from restante.mail.dsn_request import Notify
from restante.mail.envelope import Envelope
from restante.queue.recipient_status import MessageOutcome, RecipientMove

_ASKED_BY: Final[Mapping[ReportAction, Notify]] = {
    ReportAction.FAILED: Notify.FAILURE,
    ReportAction.DELAYED: Notify.DELAY,
    ReportAction.RELAYED: Notify.SUCCESS,
}


def may_report(envelope: Envelope) -> bool:
    """Tell whether anything at all may be told to this reverse-path."""
    domain = split_mailbox(envelope.reverse_path).domain
    return bool(domain) and not is_address_literal(domain) and not envelope.is_suspect


def recipients_to_tell_of(
    action: ReportAction, envelope: Envelope, forward_paths: Sequence[str]
) -> tuple[str, ...]:
    """Return the recipients on which the sender gets this report."""
    if not may_report(envelope):
        return ()
    return tuple(path for path in forward_paths if is_wanted(action, envelope, path))


def is_wanted(action: ReportAction, envelope: Envelope, forward_path: str) -> bool:
    """Tell whether the sender wants this report on a recipient."""
    notify = envelope.dsn.of(forward_path).notify if envelope.dsn is not None else None
    if notify is None:
        return action is ReportAction.FAILED
    return _ASKED_BY[action] in notify


def wants_word_of_delay(envelope: Envelope) -> bool:
    """Tell whether a message must be looked after for delay."""
    return envelope.dsn is not None and bool(
        recipients_to_tell_of(ReportAction.DELAYED, envelope, envelope.forward_paths)
    )


def in_keeping(
    outcome: MessageOutcome, envelope: Envelope, *, is_refused_bounced: bool
) -> MessageOutcome:
    """Turn *refused* into *bounced* where the domain wants that.

    Not for mail that was taken under suspicion: nobody could be told, so it is kept for review.
    Nor for mail that we refused ourselves without asking the destination, such as mail in a loop.
    """
    if not is_refused_bounced or envelope.is_suspect or outcome.is_ours:
        return outcome
    recipients = tuple(
        one._replace(move=RecipientMove.BOUNCED) if one.move is RecipientMove.REFUSED else one
        for one in outcome.recipients
    )
    return outcome._replace(recipients=recipients)


def report_facts_of(
    outcome: MessageOutcome,
    envelope: Envelope,
    reply: str,
    remote: str,
    *,
    has_details: bool = False,
) -> Iterator[ReportFacts]:
    """Yield the reports on an outcome: for bounces, and for mail relayed to a server without DSN.

    `reply` is the one to the content. A report of success has it, and the remote host, only where
    the account wants that (`has_details`): any stranger can ask for one.
    """
    bounced = {
        one.forward_path: one.reply
        for one in outcome.recipients
        if one.move is RecipientMove.BOUNCED
    }
    if failed := recipients_to_tell_of(ReportAction.FAILED, envelope, tuple(bounced)):
        yield ReportFacts(
            ReportAction.FAILED,
            tuple(ReportedRecipient(path, bounced[path], is_refused=True) for path in failed),
            remote,
        )
    if outcome.passes_dsn_on or envelope.dsn is None:
        return
    delivered = [
        one.forward_path for one in outcome.recipients if one.move is RecipientMove.DELIVERED
    ]
    if relayed := recipients_to_tell_of(ReportAction.RELAYED, envelope, delivered):
        said, where = (reply, remote) if has_details else ("", "")
        yield ReportFacts(
            ReportAction.RELAYED, tuple(ReportedRecipient(path, said) for path in relayed), where
        )
