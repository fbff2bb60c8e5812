"""Records as they are stored, for comparison with the version of a client."""

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.channels import find_channel
from restante.admin.domains import find_domain
from restante.admin.logins import find_login
from restante.admin.permissions import AdminAction, permit
from restante.admin.portal_users import find_user
from restante.tenancy.model import Account, HostedDomain, Login
from restante.tenancy.notice import Channel


def known_account(context: AdminContext, name: str) -> Account:
    """Return an account. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.ACCOUNT_SHOW)
    return find_account(context, name)


def known_login(context: AdminContext, account: str, user: str) -> Login:
    """Return a login. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.LOGIN_LIST)
    return find_login(context, account, user)


def known_domain(context: AdminContext, name: str) -> HostedDomain:
    """Return a domain. Raises AdminError if it is not hosted."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    return find_domain(context, name)


def known_user(context: AdminContext, email: str) -> tuple[object, ...]:
    """Return what an administrator sets of a user of the portal. Raises AdminError.

    The rest of the record changes when the user signs in, and is not compared.
    """
    permit(context.principal, AdminAction.USER_LIST)
    user = find_user(context, email)
    return (user.email, user.account, user.grants)


def known_channel(context: AdminContext, account: str, name: str) -> Channel:
    """Return a channel. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.CHANNEL_LIST)
    return find_channel(context, account, name)
