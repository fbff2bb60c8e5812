"""The rights of a token: its own, within those of the token that made it, and so on. Pure.

They are found again at each request. So a token loses what its maker loses: a token whose maker was
revoked, has expired or was removed is not accepted. The first maker can be a user of the portal. If
that user was removed and invited again, tokens from before stay over.
"""

import ipaddress
import math
from collections.abc import Iterator
from typing import Final

from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.api_token import ApiToken, TokenState
from restante.tenancy.model import Directory, IpAddress
from restante.tenancy.portal_user import PortalUser, user_principal
from restante.tenancy.principal import Principal, Role

LONGEST_CHAIN: Final = 8  # tokens


def chain_of(token: ApiToken, directory: Directory) -> tuple[ApiToken, ...] | None:
    """Return a token, its maker, the maker of that, and so on; None if one is not there."""
    chain = list(_chain(token, directory))
    first = chain[-1]
    is_whole = not first.maker or user_behind(first, directory) is not None
    return tuple(chain) if is_whole and len(chain) <= LONGEST_CHAIN else None


def user_behind(token: ApiToken, directory: Directory) -> PortalUser | None:
    """Return the user of the portal that made a token; None if no present user did."""
    user = directory.portal_users.get(token.maker)
    if user is None or user.created_at > token.created_at:
        return None
    return user if user.account in ("", token.account) else None


def _chain(token: ApiToken, directory: Directory) -> Iterator[ApiToken]:
    present: ApiToken | None = token
    for _ in range(LONGEST_CHAIN + 1):
        if present is None:
            return
        yield present
        present = directory.tokens.get(present.maker)


def state_of(token: ApiToken, directory: Directory, now: float) -> TokenState:
    """Return whether a token is accepted at a Unix time, and why not."""
    own = token.own_state(now)
    if own is not TokenState.ACTIVE:
        return own
    chain = chain_of(token, directory)
    if chain is None or any(one.is_over(now) for one in chain):
        return TokenState.MAKER_GONE
    return TokenState.ACTIVE


def admits(token: ApiToken, directory: Directory, address: IpAddress | None) -> bool:
    """Return whether a token and its makers may be used from an address."""
    return all(one.admits(address) for one in chain_of(token, directory) or ())


def accepted_until(principal: Principal, directory: Directory) -> float:
    """Return the Unix time at which a principal that was accepted is one no longer.

    That is -inf if its token or one of the makers was removed or revoked, or has other rights now.
    It is -inf likewise for a user of the portal who was removed or has other rights. It is inf if
    none of the tokens expires, and for a principal without a token.
    """
    if principal.user:
        user = directory.portal_users.get(principal.user)
        is_same = user is not None and user_principal(user, principal.acted_from) == principal
        return math.inf if is_same else -math.inf
    if not principal.token:
        return math.inf
    token = directory.tokens.get(principal.token)
    chain = chain_of(token, directory) if token is not None else None
    if (
        token is None
        or chain is None
        or any(one.revoked_at is not None for one in chain)
        or not admits(token, directory, _address(principal.acted_from))
        or token_principal(token, directory, principal.acted_from) != principal
    ):
        return -math.inf
    return min((one.expires_at for one in chain if one.expires_at is not None), default=math.inf)


def _address(acted_from: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(acted_from)
    except ValueError:
        return None


def token_actor(token: ApiToken) -> Actor:
    """Return the actor that a token is in records."""
    return Actor(ActorKind.TOKEN, f"{token.name} ({token.account or 'operator'})")


def token_principal(token: ApiToken, directory: Directory, acted_from: str) -> Principal:
    """Return the principal of a token that was accepted."""
    chain = chain_of(token, directory) or ()
    user = user_behind(chain[-1], directory) if chain else None
    sets = tuple(one.grants for one in chain) + ((user.grants,) if user is not None else ())
    limits = [frozenset(one.domains) for one in chain if one.domains]
    return Principal(
        Role.ACCOUNT if token.account else Role.OPERATOR,
        token_actor(token),
        acted_from,
        token.account,
        sets or (frozenset(),),
        frozenset.intersection(*limits) if limits else None,
        token.id,
    )
