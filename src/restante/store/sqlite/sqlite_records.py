"""The part of the store that keeps the operator's records."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from restante.store.record_store import Absent
from restante.store.sqlite import (
    notice_changes,
    portal_user_changes,
    record_changes,
    record_reading,
    token_changes,
)
from restante.store.sqlite.store_core import StoreCore
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login, LoginUse
from restante.tenancy.notice import Channel
from restante.tenancy.numbered_change import NumberedChange
from restante.tenancy.portal_user import PortalUser


class SqliteRecords:
    """A `RecordStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return await self._core.read(record_reading.directory)

    async def changes_since(self, number: int) -> Sequence[NumberedChange] | None:
        """Return the changes after a change number, of each record the last."""
        return await self._core.read(partial(record_reading.changes_since, number=number))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called after each change of a record, before its author has the answer."""
        self._core.change_listeners.append(listener)

    async def put_account(
        self, account: Account, audit: AuditEntry, before: Account | Absent | None = None
    ) -> None:
        """Add or replace, by name."""
        await self._core.write(
            partial(record_changes.put_account, account=account, audit=audit, before=before)
        )

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins or domains."""
        await self._core.write(partial(record_changes.delete_account, name=name, audit=audit))

    async def put_login(
        self, login: Login, audit: AuditEntry, before: Login | Absent | None = None
    ) -> None:
        """Add or replace, by user name."""
        await self._core.write(
            partial(record_changes.put_login, login=login, audit=audit, before=before)
        )

    async def forget_prior_password(self, user: str, valid_until: float, audit: AuditEntry) -> None:
        """Forget the password before a rotation, if it is still that one."""
        await self._core.write(
            partial(
                record_changes.forget_prior_password,
                user=user,
                valid_until=valid_until,
                audit=audit,
            )
        )

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        await self._core.write(partial(record_changes.delete_login, user=user, audit=audit))

    async def record_login_uses(self, uses: Mapping[str, LoginUse]) -> None:
        """Keep when and how logins were last authenticated."""
        await self._core.write(partial(record_changes.record_login_uses, uses=uses))

    async def login_uses(self) -> Mapping[str, LoginUse]:
        """Return when and how each login was last authenticated."""
        return await self._core.read(record_reading.login_uses)

    async def put_domain(
        self, domain: HostedDomain, audit: AuditEntry, before: HostedDomain | None = None
    ) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        stored: HostedDomain = await self._core.write(
            partial(record_changes.put_domain, domain=domain, audit=audit, before=before)
        )
        return stored

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        await self._core.write(
            partial(record_changes.delete_domain, domain_id=domain_id, audit=audit)
        )

    async def put_channel(
        self, channel: Channel, audit: AuditEntry, before: Channel | None = None
    ) -> Channel:
        """Add or replace a channel, and return it with its id."""
        stored: Channel = await self._core.write(
            partial(notice_changes.put_channel, channel=channel, audit=audit, before=before)
        )
        return stored

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        await self._core.write(
            partial(notice_changes.delete_channel, channel_id=channel_id, audit=audit)
        )

    async def put_token(
        self, token: ApiToken, audit: AuditEntry, known: Collection[str] | None = None
    ) -> None:
        """Add or replace, by id."""
        change = partial(token_changes.put_token, token=token, audit=audit, known=known)
        await self._core.write(change)

    async def remove_tokens(self, ids: Sequence[str]) -> None:
        """Remove the records of tokens that are over."""
        await self._core.write(partial(token_changes.delete_tokens, ids=ids))

    async def record_token_uses(self, uses: Mapping[str, float]) -> None:
        """Keep the times of last uses."""
        await self._core.write(partial(token_changes.record_token_uses, uses=uses))

    async def token_uses(self) -> Mapping[str, float]:
        """Return the time of the last use of each token that was used."""
        return await self._core.read(record_reading.token_uses)

    async def put_portal_user(self, user: PortalUser, audit: AuditEntry) -> None:
        """Add or replace, on top of the revision before."""
        await self._core.write(partial(portal_user_changes.put_portal_user, user=user, audit=audit))

    async def remove_portal_user(self, email: str, audit: AuditEntry) -> None:
        """Remove it."""
        await self._core.write(
            partial(portal_user_changes.delete_portal_user, email=email, audit=audit)
        )
