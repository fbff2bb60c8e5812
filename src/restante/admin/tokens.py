"""Tokens of the API: an account's, and the operator's own.

A view never holds a secret. The one answer to the request that adds a token has it, once.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import repeat
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import changed, checked_reason, entry, moment, overtaken, with_changes
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, lacking_for, permit
from restante.admin.request_bounds import MOST_CHOICES, AtMost, LineText, Moment
from restante.admin.scope import owner_of
from restante.phrases import EXISTS, did_you_mean
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.api_token import ApiToken, TokenState, hash_secret, new_secret
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import ALL_GRANTS, Grant, GrantedRole, Scope
from restante.tenancy.model import IpNetwork, parse_authorized_hosts
from restante.tenancy.record_change import changes_between
from restante.tenancy.token_chain import LONGEST_CHAIN, chain_of, state_of

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
USUAL_LIFETIME: Final = timedelta(days=365)
MOST_TOKENS: Final = 200  # of one account; to make room, those that no longer work are dropped
MOST_DOMAINS: Final = 1000  # of one token
MOST_NETWORKS: Final = 100
_MORE_TRIES: Final = 2
OPERATOR: Final = "the operator"


class NewToken(BaseModel):
    """The fields of a new token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: LineText
    account: LineText = ""  # "": the principal's own; an operator's token has none
    role: GrantedRole | None = None
    scopes: Annotated[tuple[Scope, ...], AtMost(MOST_CHOICES)] = ()
    domains: Annotated[tuple[LineText, ...], AtMost(MOST_DOMAINS)] = ()  # none given: all
    networks: Annotated[tuple[LineText, ...], AtMost(MOST_NETWORKS)] = ()  # none given: all
    expires_at: Moment | Literal["never"] | None = None  # not given: in a year


class TokenView(BaseModel):
    """A token as it is shown."""

    id: str
    account: str
    name: str
    role: GrantedRole | None
    scopes: list[Scope]
    domains: list[str]  # none: all
    networks: list[str]  # none: all
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None  # to the minute
    revoked_at: datetime | None
    state: TokenState


class AddedToken(TokenView):
    """A token that was just added, with its text, which nothing shows again."""

    token: str


async def add_token(context: AdminContext, new: NewToken) -> AddedToken:
    """Add a token with rights that the principal has too. Raises AdminError."""
    permit(context.principal, AdminAction.TOKEN_ADD)
    new = new.model_copy(update={"account": owner_of(context, new.account)})
    _check_owner(context, new.account)
    if not NAME.match(new.name):
        remedy = "use 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit"
        raise _wrong(new.name, "not a name for a token", remedy)
    grants = _checked_grants(context, new)
    domains = tuple(dict.fromkeys(_domain_of(context, new, name) for name in new.domains))
    networks = _networks(new)
    expires_at = _expiry(context, new)
    parts, text = new_secret()
    token = ApiToken(
        parts.id,
        new.account,
        new.name,
        hash_secret(parts.secret),
        grants,
        context.principal.name,
        context.now(),
        domains,
        networks,
        expires_at,
        maker=context.principal.token or context.principal.user,
    )
    async with context.memory.record_locks.of(f"tokens/{new.account}"):  # one of a name
        for is_last in (*repeat(False, _MORE_TRIES), True):  # other servers add some too
            known = {one.id for one in context.directory.now.tokens_of(new.account)}
            await _make_room(context, new)
            try:
                await _put(context, token, known)
                break
            except Overtaken:
                refusal = await overtaken(context, f"token {new.name}")
                if is_last:
                    raise refusal from None
    return AddedToken(**dict(_view(context, token, None)), token=text)


async def _put(context: AdminContext, token: ApiToken, known: Collection[str]) -> None:
    recorded = with_changes(
        entry(context, AuditAction.TOKEN_ADDED, token.id, token.account),
        changes_between(None, token),
    )
    try:
        await context.store.records.put_token(token, recorded, known)
    except Overtaken:
        raise
    except Conflict:  # its account was removed since our check
        find_account(context, token.account)
        raise
    await changed(context, recorded)


async def list_tokens(
    context: AdminContext, account: str | None = None, after: str = ""
) -> Iterator[TokenView]:
    """Return the tokens of an account, or all that exist for the principal, by account and name.

    The account "" is the operator's. `after` is the place of the last one that is left out: see
    `place_of`. Raises AdminError for an unknown account.
    """
    permit(context.principal, AdminAction.TOKEN_LIST)
    if account is not None:
        _check_owner(context, account)
    tokens = [
        one
        for one in context.directory.now.tokens.values()
        if account in (None, one.account) and context.principal.sees(one.account)
    ]
    if after:
        owner, _, rest = after.partition("/")
        name, _, token_id = rest.rpartition("/")
        tokens = [one for one in tokens if _order(one) > (owner, name, token_id)]
    tokens.sort(key=_order)
    uses = await context.store.records.token_uses()
    return (_view(context, one, uses.get(one.id)) for one in tokens)


def place_of(view: TokenView) -> str:
    """Return the place of a token in a listing: its account, name and id, with slashes between."""
    return f"{view.account}/{view.name}/{view.id}"


def _order(token: ApiToken) -> tuple[str, str, str]:
    return token.account, token.name, token.id


async def revoke_token(context: AdminContext, token_id: str, reason: str) -> TokenView:
    """Revoke a token at once, and with it all that it made. Raises AdminError if there is none.

    A token that was revoked before stays as it is.
    """
    permit(context.principal, AdminAction.TOKEN_REVOKE)
    token = find_token(context, token_id)
    why = checked_reason(reason)
    if token.revoked_at is None:
        recorded = with_changes(
            entry(context, AuditAction.TOKEN_REVOKED, token.id, token.account, why),
            changes_between(token, None),
        )
        token = token.revoked(context.now())
        await context.store.records.put_token(token, recorded)
        await changed(context, recorded)
    uses = await context.store.records.token_uses()
    return _view(context, token, uses.get(token.id))


def find_token(context: AdminContext, token_id: str) -> ApiToken:
    """Return the token with an id. Raises AdminError."""
    token = context.directory.now.tokens.get(token_id)
    if token is None or not context.principal.sees(token.account):
        remedy = f"{_meant(context, token_id)} `restante token list` shows those there are".lstrip()
        raise AdminError(ErrorKind.NOT_FOUND, f"token {token_id}: does not exist", remedy)
    return token


def _meant(context: AdminContext, token_id: str) -> str:
    """Return a question for a token that exists for the principal, by its name or id; "" if none.

    People know a token by its name.
    """
    seen = [
        token
        for token in context.directory.now.tokens.values()
        if context.principal.sees(token.account) and token.revoked_at is None
    ]
    named = next((token.id for token in seen if token.name == token_id), "")
    return f"did you mean {named}?" if named else did_you_mean(token_id, (one.id for one in seen))


def _check_owner(context: AdminContext, account: str) -> None:
    """Raise AdminError for an account that does not exist for the principal; "" is the operator."""
    if account or not context.principal.sees(account):
        find_account(context, account)


def _checked_grants(context: AdminContext, new: NewToken) -> frozenset[Grant]:
    """Return the role and scopes, if the principal has what they allow."""
    grants: list[Grant] = [*new.scopes] if new.role is None else [new.role, *new.scopes]
    if not grants:
        fitting = ", ".join(one for one in ALL_GRANTS if not _is_misplaced(one, new.account))
        raise AdminError(
            ErrorKind.USAGE,
            f"token {new.name}: has no rights",
            f"give a role or scopes: {fitting}",
        )
    for grant in grants:
        if _is_misplaced(grant, new.account):
            whose = "an operator's" if new.account else "an account's"
            raise _wrong(new.name, f"{grant} is only for {whose} token", "give another")
        lacking = lacking_for(context.principal, grant, new.account)
        if lacking is not None:
            raise AdminError(
                ErrorKind.NOT_ALLOWED,
                f"token {new.name}: {grant} exceeds the rights of {context.principal.name},"
                f" which may not: {lacking.text}",
                "ask an operator of this server",
            )
    return frozenset(grants)


def _is_misplaced(grant: Grant, account: str) -> bool:
    if grant.is_of_operators:
        return account != ""
    return isinstance(grant, GrantedRole) and account == ""


def _domain_of(context: AdminContext, new: NewToken, name: str) -> str:
    """Return the canonical name of a domain of the token's account."""
    domain = find_domain(context, name)
    if new.account and domain.account != new.account:  # only an operator sees such a domain
        cause = f"belongs to account {domain.account}, and the token to {new.account}"
        remedy = f"`restante domain list --account {new.account}` shows the domains for this token"
        raise AdminError(ErrorKind.NOT_FOUND, f"domain {name}: {cause}", remedy)
    return domain.name


def _networks(new: NewToken) -> tuple[IpNetwork, ...]:
    try:
        hosts = parse_authorized_hosts(new.networks)
    except ValueError as error:
        raise _wrong(new.name, str(error), "write a network such as 192.0.2.0/24") from None
    if hosts.names:
        cause = f"{hosts.names[0]} is not an address or a network"
        raise _wrong(new.name, cause, "write a network such as 192.0.2.0/24")
    return hosts.networks


def _expiry(context: AdminContext, new: NewToken) -> float | None:
    """Return when the token expires: not after the tokens that make it."""
    now = context.now()
    wanted: float | None = now + USUAL_LIFETIME.total_seconds()
    if new.expires_at == "never":
        wanted = None
    elif new.expires_at is not None:
        wanted = new.expires_at.timestamp()
        if wanted <= now:
            raise _wrong(new.name, "would have expired already", "give a later time")
    directory = context.directory.now
    maker = directory.tokens.get(context.principal.token)
    chain = (chain_of(maker, directory) if maker is not None else None) or ()
    if len(chain) >= LONGEST_CHAIN:
        raise _wrong(
            new.name, f"its chain of makers has {len(chain)} tokens", "make it by another of these"
        )
    limits = [one.expires_at for one in chain if one.expires_at is not None]
    if wanted is not None:
        limits.append(wanted)
    return min(limits, default=None)


async def _make_room(context: AdminContext, new: NewToken) -> None:
    """Keep the number of an account's tokens within its limit; each name is used once at a time."""
    directory, now = context.directory.now, context.now()
    present = directory.tokens_of(new.account)
    over = [one for one in present if state_of(one, directory, now) is not TokenState.ACTIVE]
    of_that_name = [one for one in present if one.name == new.name and one not in over]
    if of_that_name:
        error = f"token {new.name}: {EXISTS} under the id {of_that_name[0].id}"
        raise AdminError(ErrorKind.EXISTS, error, "choose another name, or revoke that token first")
    excess = len(present) + 1 - MOST_TOKENS
    if excess <= 0:
        return
    over.sort(key=lambda one: one.created_at)
    if len(over) < excess:
        error = f"token {new.name}: {new.account or OPERATOR} has {len(present)} tokens already"
        raise AdminError(ErrorKind.CONFLICT, error, "revoke those that nobody uses")
    await context.store.records.remove_tokens([one.id for one in over[:excess]])


def _wrong(name: str, error: str, remedy: str) -> AdminError:
    return AdminError(ErrorKind.INVALID, f"token {name}: {error}", remedy)


def _view(context: AdminContext, token: ApiToken, used_at: float | None) -> TokenView:
    return TokenView(
        id=token.id,
        account=token.account,
        name=token.name,
        role=next((one for one in GrantedRole if one in token.grants), None),
        scopes=[one for one in Scope if one in token.grants],
        domains=list(token.domains),
        networks=[str(network) for network in token.networks],
        created_by=token.created_by,
        created_at=moment(token.created_at),
        expires_at=None if token.expires_at is None else moment(token.expires_at),
        last_used_at=None if used_at is None else moment(used_at),
        revoked_at=None if token.revoked_at is None else moment(token.revoked_at),
        state=state_of(token, context.directory.now, context.now()),
    )
