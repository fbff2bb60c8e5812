"""The rights that the maker of a waiting change has now. Pure.

A token that was revoked, or a user that was removed, has none left. That is what an account does
first if one of them was stolen.
"""

from restante.tenancy.api_token import TokenState
from restante.tenancy.model import Directory
from restante.tenancy.portal_user import user_principal
from restante.tenancy.principal import Principal
from restante.tenancy.scheduled_change import ScheduledChange
from restante.tenancy.token_chain import state_of, token_principal


def present_maker(change: ScheduledChange, directory: Directory, now: float) -> Principal | None:
    """Return the principal that made a change, with its rights at a Unix time.

    None if there is no such principal any more.

    A user who was removed and invited again since is another one. So is one whose account differs.
    """
    maker = change.maker
    if maker.token:
        token = directory.tokens.get(maker.token)
        if token is None or state_of(token, directory, now) is not TokenState.ACTIVE:
            return None
        found = token_principal(token, directory, maker.acted_from)
    elif maker.user:
        user = directory.portal_users.get(maker.user)
        if user is None or user.created_at > change.made_at:
            return None
        found = user_principal(user, maker.acted_from)
    else:
        return None
    return found if found.account == change.account else None
