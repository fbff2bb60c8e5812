"""One mail transaction at reception: the envelope so far, its domains, and the content."""

from dataclasses import dataclass, field

from restante.checks.session_checks import PendingRefusal
from restante.mail.dsn_request import DsnRequest, RecipientRequest
from restante.mail.envelope import Envelope
from restante.reception.admission import HostedRecipient
from restante.reception.content_buffer import ContentBuffer
from restante.reception.transaction_checks import TransactionChecks
from restante.smtp.commands import Mail
from restante.tenancy.model import HostedDomain


@dataclass(slots=True)
class AdmittedTransaction:
    """From MAIL to the reply after the content."""

    mail: Mail
    content: ContentBuffer
    checks: TransactionChecks
    recipients: dict[str, HostedDomain] = field(
        default_factory=dict
    )  # a recipient named twice counts once
    requests: dict[str, RecipientRequest] | None = (
        None  # report requests, by the recipients that have one
    )

    def add(self, recipient: HostedRecipient, request: RecipientRequest | None) -> None:
        """Add an accepted recipient, with its report request if it has one."""
        self.recipients[recipient.forward_path] = recipient.domain
        if request is not None:
            if self.requests is None:
                self.requests = {}
            self.requests[recipient.forward_path] = request

    def dsn(self) -> DsnRequest | None:
        """Return the sender's request for reports; None if there is none."""
        if self.requests is None and self.mail.ret is None and not self.mail.envelope_id:
            return None
        return DsnRequest(self.mail.ret, self.mail.envelope_id, self.requests or {})


def envelope_of(transaction: AdmittedTransaction) -> Envelope:
    """Return the envelope of the recipients that have been accepted so far."""
    mail = transaction.mail
    return Envelope(
        reverse_path=str(mail.reverse_path or ""),
        forward_paths=tuple(transaction.recipients),
        is_8bit=mail.is_8bit,
        needs_smtputf8=mail.needs_smtputf8,
        dsn=transaction.dsn(),
    )


def examine_content(
    transaction: AdmittedTransaction, client_name: str = ""
) -> PendingRefusal | None:
    """Have the checks examine the complete content; None if none reads it."""
    checks, content = transaction.checks, transaction.content
    if not checks.read_content:
        return None
    return checks.content(transaction.recipients, content.size, content.read, client_name)
