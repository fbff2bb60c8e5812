"""The events of a session's mail transactions: mail held, mail and recipients refused."""

from restante.checks.findings import NOTHING_FOUND
from restante.mail.address import Mailbox, shown_paths
from restante.reception.admission import AdmissionObjection
from restante.reception.admitted_transaction import AdmittedTransaction
from restante.reception.intake import IntakeReceipt
from restante.reception.refusal_log import RefusalLog
from restante.smtp.replies import Reply
from restante.telemetry.event_bus import Log
from restante.telemetry.events import MailChecked, MailHeld, MailRefused, RecipientRefused


class TransactionLog:
    """Publishes them, for one session."""

    __slots__ = ("_log", "_peer", "_refusals")

    def __init__(self, log: Log, peer: str) -> None:
        """`peer` is the client's address."""
        self._log = log
        self._peer = peer
        self._refusals: RefusalLog | None = None  # once something was refused

    def recipient_refused(
        self, transaction: AdmittedTransaction, path: Mailbox, objection: AdmissionObjection
    ) -> None:
        """Publish that RCPT was refused."""
        self._refused(
            RecipientRefused(
                peer=self._peer,
                code=objection.reply.code,
                answer=str(objection.reply),
                reason=objection.reason,
                reverse_path=_reverse_path(transaction),
                forward_path=f"<{path}>",
            )
        )

    def content_refused(
        self, transaction: AdmittedTransaction | None, reply: Reply, reason: str
    ) -> None:
        """Publish that content was refused; `transaction` is None if it had ended before."""
        self._refused(
            MailRefused(
                peer=self._peer,
                code=reply.code,
                answer=str(reply),
                reason=reason or (str(transaction.content.failure or "") if transaction else ""),
                reverse_path=_reverse_path(transaction) if transaction else "",
                domains=_domains(transaction) if transaction else None,
            )
        )

    def settled(
        self, transaction: AdmittedTransaction, receipt: IntakeReceipt, reply: Reply
    ) -> None:
        """Publish that a message is held, or could not be."""
        client = transaction.checks.client
        domains = _domains(transaction)
        if receipt.failure:
            self._refused(
                MailRefused(
                    peer=self._peer,
                    code=reply.code,
                    answer=str(reply),
                    reason=str(receipt.failure),
                    message=receipt.name,
                    hello=client.hello,
                    tls=client.tls,
                    reverse_path=_reverse_path(transaction),
                    recipients=len(transaction.recipients),
                    domains=domains,
                    octets=receipt.size,
                )
            )
            return
        self._log.publish(
            MailHeld(
                message=receipt.name,
                message_id=receipt.message_id,
                peer=self._peer,
                hello=client.hello,
                tls=client.tls,
                reverse_path=_reverse_path(transaction),
                recipients=len(transaction.recipients),
                forward_paths=shown_paths([*transaction.recipients]),
                domains=domains,
                octets=receipt.size,
            )
        )
        findings = transaction.checks.findings
        if findings is not NOTHING_FOUND and (notes := findings.notes):
            self._log.publish(MailChecked(message=receipt.name, notes=notes))

    def close(self) -> None:
        """Publish the refusals that were only counted: the session has ended."""
        if self._refusals is not None:
            self._refusals.close()

    def _refused(self, event: MailRefused | RecipientRefused) -> None:
        if self._refusals is None:
            self._refusals = RefusalLog(self._log, self._peer)
        self._refusals.write(event)


def _domains(transaction: AdmittedTransaction) -> tuple[str, ...]:
    return tuple(sorted({domain.name for domain in transaction.recipients.values()}))


def _reverse_path(transaction: AdmittedTransaction) -> str:
    return f"<{transaction.mail.reverse_path or ''}>"
