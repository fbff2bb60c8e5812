"""One-time links into the portal, for a program that has its own sign-in, such as a reseller's.

A link opens a session of one user of an account: once, and within 30 seconds. It proves no factor,
so critical actions still ask for one. A token with the scope `portal:link` stands for its maker,
who must have every right of the user. Links exist for no operator.

A link is sealed (`one_time_seals`): nothing is kept of it, and a restart ends none.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import announce, entry, moment
from restante.admin.one_time_seals import OpenedValue, octets_of, text_of
from restante.admin.permissions import AdminAction, lacking_for, permit
from restante.admin.portal_users import find_user
from restante.admin.request_bounds import LineText
from restante.tenancy.audit import AuditAction
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.principal import Principal

PORTAL_LINK_PATH: Final = "/portal-link/"
LINK_SECONDS: Final = 30.0
_PURPOSE: Final = "portal link"


class NewPortalLink(BaseModel):
    """The user whose session a link opens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: LineText  # the email address


class PortalLinkView(BaseModel):
    """A link that was just made. Nothing shows it again."""

    user: str
    link: str
    valid_until: datetime


async def make_portal_link(context: AdminContext, new: NewPortalLink) -> PortalLinkView:
    """Make a link for a user of an account. Raises AdminError, StoreError."""
    permit(context.principal, AdminAction.PORTAL_LINK)
    user = find_user(context, new.user)
    _check_rights(context.principal, user)
    if context.server is None or not context.settings.portal_url():
        cause = "no server runs" if context.server is None else "this server has no web listener"
        remedy = "start it" if context.server is None else 'add a [[listen]] with service = "web"'
        raise AdminError(ErrorKind.CONFLICT, f"user {user.email}: {cause}", remedy)
    action = AuditAction.PORTAL_LINK_MADE
    recorded = entry(context, action, user.email, user.account)
    await context.store.audit.record([recorded])
    announce(context, recorded)
    sealed = context.one_time_seals.seal(_PURPOSE, LINK_SECONDS, f"{user.email} {user.stamp.hex()}")
    url = f"{context.settings.portal_url()}{PORTAL_LINK_PATH}{text_of(sealed)}"
    return PortalLinkView(
        user=user.email, link=url, valid_until=moment(context.now() + LINK_SECONDS)
    )


@dataclass(frozen=True, slots=True)
class PortalLinks:
    """Links, for the page that they lead to."""

    context: AdminContext

    async def user_of(self, secret: str) -> PortalUser | None:
        """Return the user that a link is for, and leave it; None if it is not good.

        Raises StoreError.
        """
        value, user = self._read(secret)
        if value is None or user is None or await self.context.one_time_seals.was_used(value):
            return None
        return user

    async def take(self, secret: str) -> PortalUser | None:
        """Return the user that a link is for, and use it up; None if it is not good.

        Raises StoreError.
        """
        value, user = self._read(secret)
        if value is None or user is None or not await self.context.one_time_seals.use(value):
            return None
        return user

    def _read(self, secret: str) -> tuple[OpenedValue | None, PortalUser | None]:
        """Return the user, unless password or rights have changed since."""
        value = self.context.one_time_seals.open(octets_of(secret), _PURPOSE)
        if value is None:
            return None, None
        email, _, stamp = value.text.partition(" ")
        user = self.context.directory.now.portal_users.get(email)
        return value, user if user is not None and user.stamp.hex() == stamp else None


def _check_rights(principal: Principal, user: PortalUser) -> None:
    """Raise AdminError unless the principal, or the token's maker, may do all that the user may."""
    if not user.account:
        remedy = "sign in with a password, a passkey or a provider"
        error = f"user {user.email}: there are no links for operators"
        raise AdminError(ErrorKind.NOT_ALLOWED, error, remedy)
    maker = replace(principal, grants=principal.grants[1:]) if principal.token else principal
    for grant in sorted(user.grants):
        lacking = lacking_for(maker, grant, user.account)
        if lacking is not None:
            raise AdminError(
                ErrorKind.NOT_ALLOWED,
                f"user {user.email}: {grant} exceeds the rights behind {principal.name},"
                f" without: {lacking.text}",
                "ask an operator of this server",
            )
