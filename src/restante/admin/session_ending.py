"""A user of the portal ends own sessions: the audit trail says so.

A session is ended first, and its entry written then. So a store that fails between the two leaves
nobody signed in.
"""

from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import announce, entry
from restante.admin.portal_sessions import PortalSessions
from restante.tenancy.audit import AuditAction

SIGNED_OUT: Final = "signed out"
ENDED_ONE: Final = "session {key} was ended in the profile"
ENDED_ALL: Final = "signed out everywhere"


async def sign_out(context: AdminContext, sessions: PortalSessions, email: str, key: str) -> None:
    """End the session of the request itself, by its name. Raises StoreError."""
    if await sessions.end_one(email, key):
        await _record(context, email, SIGNED_OUT)


async def end_own_session(
    context: AdminContext, sessions: PortalSessions, email: str, key: str
) -> bool:
    """End one of the user's own sessions by its name; False if it is not there.

    Raises StoreError.
    """
    is_ended = await sessions.end_one(email, key)
    if is_ended:
        await _record(context, email, ENDED_ONE.format(key=key))
    return is_ended


async def sign_out_everywhere(context: AdminContext, sessions: PortalSessions, email: str) -> None:
    """End all sessions of a user. Raises StoreError."""
    await sessions.end_all(email)
    await _record(context, email, ENDED_ALL)


async def _record(context: AdminContext, email: str, why: str) -> None:
    account = context.principal.account
    recorded = entry(context, AuditAction.SESSION_ENDED, email, account, why)
    await context.store.audit.record([recorded])
    announce(context, recorded)
