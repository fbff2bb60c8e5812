"""The operator's records in a store that forgets."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from restante.phrases import CHANGED_MEANWHILE, EXISTS, REMOVED_MEANWHILE
from restante.store.memory.memory_state import MemoryState
from restante.store.record_store import Absent, check_known, is_as_before
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login, LoginUse
from restante.tenancy.notice import Channel
from restante.tenancy.numbered_change import DirectoryRecord, NumberedChange, RecordKind
from restante.tenancy.portal_user import PortalUser

_Value = TypeVar("_Value")


class MemoryRecords:
    """A `RecordStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return self._state.directory

    async def changes_since(self, number: int) -> Sequence[NumberedChange] | None:
        """Return the changes after a change number, of each record the last."""
        later = [change for change in self._state.changes if change[0] > number]
        if len(later) != self._state.directory.change_number - number:
            return None
        last = {(kind, key): at for at, kind, key in later}
        found = [NumberedChange(at, *what, self._present(*what)) for what, at in last.items()]
        return sorted(found, key=lambda change: change.number)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called after each change of a record."""
        self._state.change_listeners.append(listener)

    async def put_account(
        self, account: Account, audit: AuditEntry, before: Account | Absent | None = None
    ) -> None:
        """Add or replace, by name."""
        self._check_before(RecordKind.ACCOUNT, account.name, before)
        accounts = {**self._state.directory.accounts, account.name: account}
        self._change(RecordKind.ACCOUNT, account.name, audit, accounts=accounts)

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins, domains or channels."""
        has_channels = any(
            channel.account == name for channel in self._state.directory.channels.values()
        )
        if (
            any(self._state.directory.logins_of(name))
            or any(self._state.directory.domains_of(name))
            or has_channels
        ):
            raise Conflict(f"account {name} has logins, domains or channels")
        if name in self._state.directory.accounts:
            accounts = _without(self._state.directory.accounts, name)
            self._forget_tokens([one.id for one in self._state.directory.tokens_of(name)])
            for user in self._state.directory.portal_users_of(name):
                await self.remove_portal_user(user.email, None)
            self._change(RecordKind.ACCOUNT, name, audit, accounts=accounts)

    async def put_login(
        self, login: Login, audit: AuditEntry, before: Login | Absent | None = None
    ) -> None:
        """Add or replace, by user name."""
        self._check_before(RecordKind.LOGIN, login.user, before)
        self._check_account(login.account)
        present = self._state.directory.logins.get(login.user)
        if present and present.account != login.account:
            raise Conflict(f"user name {login.user} is taken")
        logins = {**self._state.directory.logins, login.user: login}
        self._change(RecordKind.LOGIN, login.user, audit, logins=logins)

    async def forget_prior_password(self, user: str, valid_until: float, audit: AuditEntry) -> None:
        """Forget the password before a rotation, if it is still that one."""
        login = self._state.directory.logins.get(user)
        if login is not None and login.prior and login.prior.valid_until == valid_until:
            logins = {**self._state.directory.logins, user: replace(login, prior=None)}
            self._change(RecordKind.LOGIN, user, audit, logins=logins)

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        if user in self._state.directory.logins:
            logins = _without(self._state.directory.logins, user)
            self._state.login_uses.pop(user, None)
            self._change(RecordKind.LOGIN, user, audit, logins=logins)

    async def record_login_uses(self, uses: Mapping[str, LoginUse]) -> None:
        """Keep when and how logins were last authenticated."""
        kept = self._state.login_uses
        for user, use in uses.items():
            if user in self._state.directory.logins and use.at >= kept.get(user, use).at:
                kept[user] = use

    async def login_uses(self) -> Mapping[str, LoginUse]:
        """Return when and how each login was last authenticated."""
        return dict(self._state.login_uses)

    async def put_domain(
        self, domain: HostedDomain, audit: AuditEntry, before: HostedDomain | None = None
    ) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        self._check_before(RecordKind.DOMAIN, str(domain.id), before)
        self._check_account(domain.account)
        present = self._state.directory.domains.get(domain.name)
        if (present.id if present else 0) != domain.id:
            raise Conflict(f"domain {domain.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if not present:
            self._state.last_domain_id += 1
            domain = replace(domain, id=self._state.last_domain_id)
        domains = {**self._state.directory.domains, domain.name: domain}
        self._change(RecordKind.DOMAIN, str(domain.id), audit, domains=domains)
        return domain

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        if self._state.holds_mail(domain_id):
            raise Conflict(f"domain {domain_id} holds mail")
        present = self._state.directory.domain_by_id(domain_id)
        if present is None:
            return
        self._state.domain_removed(domain_id, audit.at)
        domains = _without(self._state.directory.domains, present.name)
        self._change(RecordKind.DOMAIN, str(domain_id), audit, domains=domains)

    async def put_channel(
        self, channel: Channel, audit: AuditEntry, before: Channel | None = None
    ) -> Channel:
        """Add (id 0) or replace a channel of notices, and return it with its id."""
        self._check_before(RecordKind.CHANNEL, str(channel.id), before)
        if channel.account:
            self._check_account(channel.account)
        present = self._state.directory.channel(channel.account, channel.name)
        if (present.id if present else 0) != channel.id:
            raise Conflict(f"channel {channel.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if present:
            self._state.hasten_channel(channel.id, audit.at)
        else:
            self._state.last_channel_id += 1
            channel = replace(channel, id=self._state.last_channel_id)
        channels = {**self._state.directory.channels, channel.id: channel}
        self._change(RecordKind.CHANNEL, str(channel.id), audit, channels=channels)
        return channel

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        if channel_id in self._state.directory.channels:
            self._state.forget_channel(channel_id)
            left = {
                number: one
                for number, one in self._state.directory.channels.items()
                if number != channel_id
            }
            self._change(RecordKind.CHANNEL, str(channel_id), audit, channels=left)

    async def put_token(
        self, token: ApiToken, audit: AuditEntry, known: Collection[str] | None = None
    ) -> None:
        """Add or replace, by id."""
        if token.account:
            self._check_account(token.account)
        present = self._state.directory.tokens.get(token.id)
        if present and present.account != token.account:
            raise Conflict(f"token {token.id} is taken")
        check_known((one.id for one in self._state.directory.tokens_of(token.account)), known)
        tokens = {**self._state.directory.tokens, token.id: token}
        self._change(RecordKind.TOKEN, token.id, audit, tokens=tokens)

    async def remove_tokens(self, ids: Sequence[str]) -> None:
        """Remove the records of tokens that are over."""
        self._forget_tokens(ids)

    async def record_token_uses(self, uses: Mapping[str, float]) -> None:
        """Keep the times of last uses."""
        kept = self._state.token_uses
        for key, at in uses.items():
            if key in self._state.directory.tokens:
                kept[key] = max(at, kept.get(key, at))

    async def token_uses(self) -> Mapping[str, float]:
        """Return the time of the last use of each token that was used."""
        return dict(self._state.token_uses)

    async def put_portal_user(self, user: PortalUser, audit: AuditEntry) -> None:
        """Add or replace, on top of the revision before."""
        if user.account:
            self._check_account(user.account)
        present = self._state.directory.portal_users.get(user.email)
        is_next = (present.revision if present else 0) == user.revision - 1
        if not is_next or (present and present.account != user.account):
            raise Conflict(f"portal user {user.email} was changed meanwhile")
        self._state.end_sessions(user.email, but_with=user.stamp)
        users = {**self._state.directory.portal_users, user.email: user}
        self._change(RecordKind.PORTAL_USER, user.email, audit, portal_users=users)

    async def remove_portal_user(self, email: str, audit: AuditEntry | None) -> None:
        """Remove it."""
        if email in self._state.directory.portal_users:
            self._state.end_sessions(email)
            users = _without(self._state.directory.portal_users, email)
            self._change(RecordKind.PORTAL_USER, email, audit, portal_users=users)

    def _forget_tokens(self, ids: Sequence[str]) -> None:
        for key in ids:
            if key in self._state.directory.tokens:
                self._state.token_uses.pop(key, None)
                tokens = _without(self._state.directory.tokens, key)
                self._change(RecordKind.TOKEN, key, None, tokens=tokens)

    def _change(
        self, kind: RecordKind, key: str, audit: AuditEntry | None, **changed: Mapping[Any, Any]
    ) -> None:
        """Replace one table of the records, named as in `Directory`."""
        self._state.directory = replace(self._state.directory, **changed)  # type: ignore[arg-type]
        self._state.note_change(kind, key, audit)

    def _present(self, kind: RecordKind, key: str) -> DirectoryRecord | None:
        directory = self._state.directory
        match kind:
            case RecordKind.DOMAIN:
                return directory.domain_by_id(int(key))
            case RecordKind.CHANNEL:
                return directory.channels.get(int(key))
            case RecordKind.RECIPIENTS:
                return None
        tables: Mapping[RecordKind, Mapping[str, DirectoryRecord]] = {
            RecordKind.ACCOUNT: directory.accounts,
            RecordKind.LOGIN: directory.logins,
            RecordKind.TOKEN: directory.tokens,
            RecordKind.PORTAL_USER: directory.portal_users,
        }
        return tables[kind].get(key)

    def _check_before(
        self, kind: RecordKind, key: str, before: DirectoryRecord | Absent | None
    ) -> None:
        if not is_as_before(self._present(kind, key), before):
            raise Overtaken(f"{kind} {key} {CHANGED_MEANWHILE}")

    def _check_account(self, name: str) -> None:
        if name not in self._state.directory.accounts:
            raise Conflict(f"account {name} no longer exists")


def _without(records: Mapping[str, _Value], key: str) -> dict[str, _Value]:
    return {name: record for name, record in records.items() if name != key}
