"""Holds back the turnarounds of a login that an account has just opened to somebody.

With a turnaround, mail goes to the holder of a login. So an account redirects mail when it gives a
login the right, or another password or certificate to a login that has it. Such a change is treated
as that of a destination (change_scheduling.py). It is announced on all channels of the account, and
the login may take mail by ATRN only after `portal.change_delay`. Until then, anybody who may change
logins can take the right away. Everything else about the login is changed at once: ETRN sends mail
to the destination only.

An operator's change of the right is in force at once, and so ends the time of waiting.
"""

from collections.abc import Sequence
from dataclasses import replace

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.change_scheduling import change_lines, lock_on, time_text
from restante.telemetry.events import TurnaroundRightGiven
from restante.tenancy.model import Login
from restante.tenancy.policy import TurnaroundPolicy
from restante.tenancy.principal import Role
from restante.tenancy.record_change import Change


def held_back(context: AdminContext, present: Login | None, wanted: Login) -> Login:
    """Return a login with the time from which it may take mail by ATRN.

    Raises AdminError if an operator has locked where the account's mail goes.
    """
    if not wanted.turnaround:
        return replace(wanted, turnaround_at=None)
    if context.principal.role is not Role.ACCOUNT:
        return wanted
    waits_until = None if present is None else present.turnaround_at
    if not opens(present, wanted, context.now()):
        return replace(wanted, turnaround_at=waits_until)
    _check_locks(context, wanted)
    until = max(waits_until or 0.0, context.now() + context.settings.change_delay())
    return replace(wanted, turnaround_at=until if until > context.now() else None)


def opens(present: Login | None, wanted: Login, now: float) -> bool:
    """Return whether a change lets somebody take mail by ATRN who could not; `now` is Unix time."""
    if not wanted.turnaround or wanted.has_expired(now):
        return False
    if present is None or not present.turnaround or present.has_expired(now):
        return True
    has_new_password = wanted.has_password and wanted.password_hash != present.password_hash
    return has_new_password or not set(wanted.certificates) <= set(present.certificates)


def announce_right(
    context: AdminContext, present: Login | None, login: Login, changes: Sequence[Change]
) -> None:
    """Tell the account that somebody may take its mail by ATRN, if an account's change opened it.

    Limitation: if the server is killed in this moment, only the audit trail has it.
    """
    is_told = context.principal.role is Role.ACCOUNT and context.parts.log is not None
    if not is_told or not opens(present, login, context.now()):
        return
    assert context.parts.log is not None
    begins = context.now() if login.turnaround_at is None else login.turnaround_at
    context.parts.log.publish(
        TurnaroundRightGiven(
            account=login.account,
            login=login.user,
            actor=context.principal.name,
            acted_from=context.principal.acted_from,
            begins=time_text(begins),
            changes=change_lines(changes),
        )
    )


def _check_locks(context: AdminContext, login: Login) -> None:
    for domain in context.directory.now.domains_of(login.account):
        locked = lock_on(context, domain)
        if locked and domain.policy.turnaround is TurnaroundPolicy.ALLOW:
            error = f"login {login.user}: may take the mail of {domain.name} by ATRN, and {locked}"
            remedy = "ask an operator of this server"
            raise AdminError(ErrorKind.NOT_ALLOWED, error, remedy)
