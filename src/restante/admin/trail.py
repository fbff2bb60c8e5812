"""The operator's side of the audit trail: every change says who, what and why, in the trail and in the log."""

from datetime import UTC, datetime

from pydantic import BaseModel

from restante.admin.errors import AdminError, Kind
from restante.admin.office import Office
from restante.telemetry.events import Event
from restante.tenancy.audit import AuditAction, AuditEntry

OPERATOR = "operator"
MAX_REASON_LENGTH = 500  # characters


class AuditView(BaseModel):
    """One line of the trail."""

    at: datetime
    action: str
    actor: str
    subject: str
    account: str
    origin: str
    answer: str
    reason: str


async def list_audit(office: Office, account: str | None = None, limit: int = 100) -> list[AuditView]:
    """Return the newest entries, newest first."""
    return [_view(entry) for entry in await office.store.audit(account=account, limit=limit)]


def moment(at: float) -> datetime:
    """Return a Unix time as views show it."""
    return datetime.fromtimestamp(at, UTC)


def entry(office: Office, action: AuditAction, subject: str, account: str, reason: str = "") -> AuditEntry:
    """Make the entry that goes with a change."""
    origin = "control socket" if office.server else "command line"
    return AuditEntry(office.now(), action, OPERATOR, subject, account, origin=origin, reason=reason)


def checked_reason(reason: str) -> str:
    """Return the reason for something that cannot be undone. Raises AdminError if there is none."""
    if not reason.strip() or len(reason) > MAX_REASON_LENGTH or not reason.isprintable():
        remedy = f"give one line of at most {MAX_REASON_LENGTH} characters as --reason"
        raise AdminError(Kind.USAGE, "reason: what cannot be undone needs one, for the audit trail", remedy)
    return reason


async def changed(office: Office, recorded: AuditEntry) -> None:
    """Let the change take effect and log it: call after each change of a record, before saying that it is done."""
    await office.directory.refresh()
    announce(office, recorded)


def announce(office: Office, recorded: AuditEntry) -> None:
    """Log a change."""
    if office.log:
        fields = {"action": str(recorded.action), "subject": recorded.subject, "account": recorded.account}
        office.log.write(Event.RECORD_CHANGED, **fields, actor=recorded.actor, reason=recorded.reason)


def _view(recorded: AuditEntry) -> AuditView:
    return AuditView(
        at=moment(recorded.at),
        action=recorded.action,
        actor=recorded.actor,
        subject=recorded.subject,
        account=recorded.account,
        origin=recorded.origin,
        answer=recorded.answer,
        reason=recorded.reason,
    )
