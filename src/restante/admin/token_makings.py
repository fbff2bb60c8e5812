"""The records that a token made or changed, and that live on after it: for a token that was stolen.

Its own tokens end with it. Invited users, logins, channels and settings of domains do not. They are
found in the audit trail, by the name of the token. The search follows the token's own tokens and
invited users too.

Limitation: entries that the trail no longer has are not found, nor are changes of users who were
removed meanwhile.
"""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import moment
from restante.admin.permissions import AdminAction, may, permit
from restante.admin.tokens import find_token
from restante.tenancy.api_token import ApiToken, MadeKind, TokenState
from restante.tenancy.audit import AuditAction, AuditEntry, AuditFilter
from restante.tenancy.model import Directory
from restante.tenancy.portal_user import user_actor
from restante.tenancy.token_chain import state_of, token_actor

MOST_READ: Final = 500  # entries of one actor and action
MOST_ACTORS: Final = 50
PATIENCE: Final = 5.0  # seconds; a long trail answers each question in several pages
_UNDER_WAY: Final = 1.0  # seconds


class MadeRecord(BaseModel):
    """A record that is there now, and the first entry of the audit trail about it."""

    kind: MadeKind
    name: str  # an email address, a user name, a name, or the id of a token
    account: str
    was_added: bool  # False: it was changed
    by: str  # the token, or one that it made
    at: datetime


class TokenMakings(BaseModel):
    """The records that live on."""

    id: str
    name: str
    account: str
    records: list[MadeRecord]  # in the order of time
    is_complete: bool  # False: the trail was too long to read all of it


_ADDED: Final[Mapping[AuditAction, MadeKind]] = {
    AuditAction.USER_INVITED: MadeKind.USER,
    AuditAction.USER_ADDED: MadeKind.USER,
    AuditAction.LOGIN_ADDED: MadeKind.LOGIN,
    AuditAction.CHANNEL_ADDED: MadeKind.CHANNEL,
    AuditAction.TOKEN_ADDED: MadeKind.TOKEN,
    AuditAction.DOMAIN_ADDED: MadeKind.DOMAIN,
}
_CHANGED: Final[Mapping[AuditAction, MadeKind]] = {
    AuditAction.USER_CHANGED: MadeKind.USER,
    AuditAction.LOGIN_CHANGED: MadeKind.LOGIN,
    AuditAction.CHANNEL_CHANGED: MadeKind.CHANNEL,
    AuditAction.DOMAIN_CHANGED: MadeKind.DOMAIN,
    AuditAction.CHANGE_SCHEDULED: MadeKind.DOMAIN,
}
_SEEN_BY: Final[Mapping[MadeKind, AdminAction]] = {
    MadeKind.USER: AdminAction.USER_LIST,
    MadeKind.LOGIN: AdminAction.LOGIN_LIST,
    MadeKind.CHANNEL: AdminAction.CHANNEL_LIST,
    MadeKind.TOKEN: AdminAction.TOKEN_LIST,
    MadeKind.DOMAIN: AdminAction.DOMAIN_LIST,
}


async def list_makings(context: AdminContext, token_id: str) -> TokenMakings:
    """Return the records of a token that live on. Raises AdminError if there is no such token."""
    permit(context.principal, AdminAction.TOKEN_REVOKE)
    token = find_token(context, token_id)
    search = _MakingsSearch(context, token.account)
    await search.follow(token_actor(token).text, token.created_at, _last_of(token))
    found = sorted(search.found.values(), key=lambda one: (one.at, one.kind, one.name))
    return TokenMakings(
        id=token.id,
        name=token.name,
        account=token.account,
        records=[one for one in found if may(context.principal, _SEEN_BY[one.kind])],
        is_complete=search.is_complete,
    )


class _MakingsSearch:
    """Follows a token, its own tokens and invited users through the audit trail."""

    def __init__(self, context: AdminContext, account: str) -> None:
        """`account` is the token's; "" for an operator's, which may act for every account."""
        self._context = context
        self._account = account or None
        self._actors: deque[tuple[str, float, float | None]] = deque()
        self._ends_at = context.memory.monotonic() + PATIENCE
        self.found: dict[tuple[MadeKind, str, str], MadeRecord] = {}
        self.is_complete = True

    async def follow(self, actor: str, since: float, until: float | None) -> None:
        """Find the records of an actor, and of those that it made. Times are Unix time."""
        self._actors.append((actor, since, until))
        known: set[str] = set()
        while self._actors:
            name, begin, end = self._actors.popleft()
            if name in known:
                continue
            if len(known) >= MOST_ACTORS:
                self.is_complete = False
                return
            known.add(name)
            for action, kind in {**_ADDED, **_CHANGED}.items():
                await self._read(AuditFilter(self._account, None, action, name, begin, end), kind)

    async def _read(self, wanted: AuditFilter, kind: MadeKind) -> None:
        for one in reversed(await self._entries(wanted)):
            name = one.domain if kind is MadeKind.DOMAIN else one.subject
            self._go_on(one, kind, name)
            if _is_there(self._context.directory.now, kind, name, one.account, one.at):
                self._keep(one, kind, name)

    async def _entries(self, wanted: AuditFilter) -> list[AuditEntry]:
        """Return the newest entries, newest first, as far as limit and time allow."""
        audit, memory = self._context.store.audit, self._context.memory
        page = await audit.audit_page(wanted, MOST_READ)
        found = list(page.entries)
        while page.before is not None:
            if len(found) >= MOST_READ or memory.monotonic() >= self._ends_at:
                self.is_complete = False
                break
            page = await audit.audit_page(wanted, MOST_READ - len(found), page.before)
            found += page.entries
        return found

    def _go_on(self, one: AuditEntry, kind: MadeKind, name: str) -> None:
        """Follow the user or token that was made; one that was changed has its own owner."""
        if one.action not in _ADDED:
            return
        directory = self._context.directory.now
        user, token = directory.portal_users.get(name), directory.tokens.get(name)
        if kind is MadeKind.USER and user is not None:
            self._actors.append((user_actor(user).text, one.at, None))
        if kind is MadeKind.TOKEN and token is not None:
            self._actors.append((token_actor(token).text, one.at, _last_of(token)))

    def _keep(self, one: AuditEntry, kind: MadeKind, name: str) -> None:
        was_added = one.action in _ADDED
        record = MadeRecord(
            kind=kind,
            name=name,
            account=one.account,
            was_added=was_added,
            by=one.actor,
            at=moment(one.at),
        )
        present = self.found.setdefault((kind, one.account, name), record)
        if was_added and not present.was_added:
            self.found[kind, one.account, name] = record


def _last_of(token: ApiToken) -> float | None:
    """Return the end of the requests of a token, as Unix time: some may be under way.

    A later token may have the same name.
    """
    ends = [one for one in (token.revoked_at, token.expires_at) if one is not None]
    return min(ends) + _UNDER_WAY if ends else None


def _is_there(directory: Directory, kind: MadeKind, name: str, account: str, now: float) -> bool:
    """Return whether a record of that name lives on."""
    match kind:
        case MadeKind.USER:
            return name in directory.portal_users
        case MadeKind.LOGIN:
            return name in directory.logins
        case MadeKind.CHANNEL:
            return directory.channel(account, name) is not None
        case MadeKind.DOMAIN:
            return name in directory.domains
        case MadeKind.TOKEN:
            token = directory.tokens.get(name)
            return token is not None and state_of(token, directory, now) is TokenState.ACTIVE
