"""Users of the portal: an account's, and the operators.

A view never holds a secret. The one answer to an invitation has its link, once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict

from restante.admin.accounts import find_account
from restante.admin.add_or_find import AddedMeanwhile, add_or_find
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import changed, checked_reason, entry, moment, with_changes
from restante.admin.permissions import AdminAction, lacking_for, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.admin.scope import owner_of
from restante.phrases import EXISTS, did_you_mean
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.portal_user import (
    EXTRA_SCOPES,
    INVITATION_SECONDS,
    Invitation,
    PortalUser,
    canonical_email,
    hash_link_secret,
    new_link_secret,
)
from restante.tenancy.portal_user_state import PortalUserState, SecondFactor
from restante.tenancy.record_change import changes_between

MOST_USERS: Final = 200  # of one account
INVITATION_PATH: Final = "/invitation/"
_LIST: Final = "`restante user list` shows the users"


class NewPortalUser(BaseModel):
    """The fields of an invitation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: LineText
    account: LineText = ""  # "": the principal's own; an operator has none
    role: GrantedRole
    scopes: Annotated[tuple[Scope, ...], AtMost(len(Scope))] | None = None
    """In addition to the role. Not given: an account's admin gets those that the inviter has."""
    again: bool = False  # a user that exists sets a new password and second factor


class PortalUserChange(BaseModel):
    """The rights that a user gets; a field that is not given stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: GrantedRole | None = None
    scopes: Annotated[tuple[Scope, ...], AtMost(len(Scope))] | None = None


class PortalUserView(BaseModel):
    """A user as it is shown."""

    email: LineText
    account: str
    role: GrantedRole
    scopes: list[Scope]
    state: PortalUserState
    second_factors: list[SecondFactor]
    provider: str  # the issuer of OpenID Connect at which the user can sign in; "" for none
    created_by: str
    created_at: datetime
    invited_until: datetime | None
    signed_in_at: datetime | None


class InvitedUser(PortalUserView):
    """A user that was just invited, with the link, which nothing shows again."""

    link: str


async def invite_user(context: AdminContext, new: NewPortalUser) -> InvitedUser:
    """Invite a user with rights that the principal has too. Raises AdminError."""
    permit(context.principal, AdminAction.USER_INVITE)
    new = new.model_copy(update={"account": owner_of(context, new.account)})
    return await add_or_find(context, lambda: _invited(context, new))


async def _invited(context: AdminContext, new: NewPortalUser) -> InvitedUser:
    _check_owner(context, new.account)
    email = _checked_email(new.email)
    present = _present(context, new, email)
    if present is not None:  # the inviter could use the link
        _check_grants(context, email, new.account, present.grants)
    grants = _wanted_grants(context, new, email)
    secret = new_link_secret()
    invitation = Invitation(hash_link_secret(secret), context.now() + INVITATION_SECONDS)
    if present is None:
        _check_room(context, new, email)
        maker, now = context.principal.name, context.now()
        user = PortalUser(email, new.account, grants, maker, now, invitation=invitation)
    else:
        user = present.changed(grants=grants, invitation=invitation)
    await _put(context, AuditAction.USER_INVITED, present, user)
    link = f"{context.settings.portal_url()}{INVITATION_PATH}{secret}"
    return InvitedUser(**dict(_view(context, user)), link=link)


async def list_users(
    context: AdminContext, account: str | None = None, after: str = ""
) -> Sequence[PortalUserView]:
    """Return the users of an account, or all that exist for the principal, by email address.

    The account "" is the operators'. Raises AdminError for an unknown account.
    """
    permit(context.principal, AdminAction.USER_LIST)
    if account is not None:
        _check_owner(context, account)
    users = context.directory.now.portal_users
    return [
        _view(context, users[email])
        for email in sorted(users)
        if email > after
        and account in (None, users[email].account)
        and context.principal.sees(users[email].account)
    ]


def show_user(context: AdminContext, email: str) -> PortalUserView:
    """Return a user. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.USER_LIST)
    return _view(context, find_user(context, email))


async def change_user(
    context: AdminContext, email: str, wanted: PortalUserChange, reason: str = ""
) -> PortalUserView:
    """Change the rights of a user, which ends its sessions. Raises AdminError.

    The principal needs the rights that the user had, and those that it gets.
    """
    permit(context.principal, AdminAction.USER_CHANGE)
    present = find_user(context, email)
    role = present.role if wanted.role is None else wanted.role
    scopes = present.grants - set(GrantedRole) if wanted.scopes is None else set(wanted.scopes)
    grants = frozenset({role, *scopes})
    for some in (present.grants, grants):
        _check_grants(context, present.email, present.account, some)
    if grants == present.grants:
        return _view(context, present)
    user = present.changed(grants=grants)
    await _put(context, AuditAction.USER_CHANGED, present, user, reason)
    return _view(context, user)


async def remove_user(context: AdminContext, email: str, reason: str) -> None:
    """Remove a user, and with it its sessions and the tokens that it made. Raises AdminError."""
    permit(context.principal, AdminAction.USER_REMOVE)
    user = find_user(context, email)
    recorded = with_changes(
        entry(context, AuditAction.USER_REMOVED, user.email, user.account, checked_reason(reason)),
        changes_between(user, None),
    )
    await context.store.records.remove_portal_user(user.email, recorded)
    await changed(context, recorded)


def find_user(context: AdminContext, email: str) -> PortalUser:
    """Return the user with that address. Raises AdminError, alike for a foreign one."""
    user = context.directory.now.portal_users.get(email.strip().lower())
    if user is None or not context.principal.sees(user.account):
        users = context.directory.now.portal_users.values()
        seen = (one.email for one in users if context.principal.sees(one.account))
        remedy = f"{did_you_mean(email.strip().lower(), seen)} {_LIST}".lstrip()
        raise AdminError(ErrorKind.NOT_FOUND, f"user {email}: does not exist", remedy)
    return user


async def _put(
    context: AdminContext,
    action: AuditAction,
    before: PortalUser | None,
    user: PortalUser,
    reason: str = "",
) -> None:
    recorded = with_changes(
        entry(context, action, user.email, user.account, reason), changes_between(before, user)
    )
    try:
        await context.store.records.put_portal_user(user, recorded)
    except Conflict:
        _check_owner(context, user.account)  # its account was removed since our check
        if before is None:
            raise AddedMeanwhile(_exists(user.email, "use another address")) from None
        error = f"user {user.email}: was changed at the same moment"
        raise AdminError(ErrorKind.STALE, error, "look at it, and repeat the command") from None
    await changed(context, recorded)


def _check_owner(context: AdminContext, account: str) -> None:
    """Raise AdminError for an account that does not exist for the principal; "" is the operator."""
    if account or not context.principal.sees(account):
        find_account(context, account)


def _checked_email(text: str) -> str:
    try:
        return canonical_email(text)
    except ValueError as error:
        raise _wrong(text, str(error), "write an address such as ana@example.org") from None


def _present(context: AdminContext, new: NewPortalUser, email: str) -> PortalUser | None:
    """Return the user that is invited again; None for a new one."""
    present = context.directory.now.portal_users.get(email)
    if present is None:
        return None
    is_same = present.account == new.account and context.principal.sees(present.account)
    if is_same and (new.again or not present.password_hash):
        return present
    remedy = "use another address"
    if is_same:
        remedy = "give --again to let it set a new password and second factor"
    raise _exists(email, remedy)


def _exists(email: str, remedy: str) -> AdminError:
    return AdminError(ErrorKind.EXISTS, f"user {email}: {EXISTS}", remedy)


def _wanted_grants(context: AdminContext, new: NewPortalUser, email: str) -> frozenset[Grant]:
    """Return the role and scopes, if the principal has what they allow."""
    scopes = new.scopes
    if scopes is None:
        is_admin = new.role is GrantedRole.ACCOUNT_ADMIN
        scopes = tuple(
            one
            for one in EXTRA_SCOPES
            if is_admin and lacking_for(context.principal, one, new.account) is None
        )
    grants: frozenset[Grant] = frozenset({new.role, *scopes})
    _check_grants(context, email, new.account, grants)
    return grants


def _check_grants(
    context: AdminContext, email: str, account: str, grants: frozenset[Grant]
) -> None:
    """Raise AdminError unless these are rights of a user there, and the principal's too."""
    for grant in sorted(grants):
        if isinstance(grant, Scope) and grant not in EXTRA_SCOPES:
            remedy = f"a role has the other rights; give {' or '.join(EXTRA_SCOPES)}, or none"
            raise _wrong(email, f"{grant} is not for users", remedy)
        if isinstance(grant, GrantedRole) and grant.is_of_operators != (account == ""):
            whose = "an operator" if account else "an account"
            remedy = "give another role, or name the account"
            raise _wrong(email, f"{grant} is only for a user of {whose}", remedy)
        lacking = lacking_for(context.principal, grant, account)
        if lacking is not None:
            raise AdminError(
                ErrorKind.NOT_ALLOWED,
                f"user {email}: {grant} exceeds the rights of {context.principal.name},"
                f" which may not: {lacking}",
                "ask an operator of this server",
            )


def _check_room(context: AdminContext, new: NewPortalUser, email: str) -> None:
    present = context.directory.now.portal_users_of(new.account)
    if len(present) >= MOST_USERS:
        error = f"user {email}: {new.account or 'the operator'} has {len(present)} users already"
        raise AdminError(ErrorKind.CONFLICT, error, "remove those that have left")


def _wrong(email: str, error: str, remedy: str) -> AdminError:
    return AdminError(ErrorKind.INVALID, f"user {email}: {error}", remedy)


def _view(context: AdminContext, user: PortalUser) -> PortalUserView:
    invitation, state = user.invitation, PortalUserState.ACTIVE
    if not user.password_hash and not user.oidc_subject:
        is_good = invitation is not None and context.now() < invitation.valid_until
        state = PortalUserState.INVITED if is_good else PortalUserState.EXPIRED
    factors = [SecondFactor.ONE_TIME_CODE] * (user.sealed_totp is not None)
    factors += [SecondFactor.PASSKEY] * bool(user.passkeys)
    return PortalUserView(
        email=user.email,
        account=user.account,
        role=user.role,
        scopes=[one for one in Scope if one in user.grants],
        state=state,
        second_factors=factors,
        provider=user.oidc_issuer,
        created_by=user.created_by,
        created_at=moment(user.created_at),
        invited_until=None if invitation is None else moment(invitation.valid_until),
        signed_in_at=None if user.signed_in_at is None else moment(user.signed_in_at),
    )
