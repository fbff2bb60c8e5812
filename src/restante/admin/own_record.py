"""The record of a portal user as that user changes it: by a sign-in, or by hand.

A change is stored on top of the revision that was examined. Of two changes that were made from one
record, such as two sign-ins with one code, the store keeps the first.
"""

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import changed, entry, with_changes
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.portal_user import PortalUser, user_principal
from restante.tenancy.record_change import changes_between


async def put_own(
    context: AdminContext,
    before: PortalUser | None,
    after: PortalUser,
    action: AuditAction,
    acted_from: str,
) -> bool:
    """Store a change by a user who proved to be that user; False if it was changed meanwhile.

    `before` is None for a new user.

    `acted_from` is the address of the client. Raises StoreError.
    """
    acting = context.acting(user_principal(after, acted_from))
    recorded = with_changes(
        entry(acting, action, after.email, after.account), changes_between(before, after)
    )
    try:
        await context.store.records.put_portal_user(after, recorded)
    except Conflict:
        await context.directory.refresh()
        return False
    await changed(acting, recorded)
    return True
