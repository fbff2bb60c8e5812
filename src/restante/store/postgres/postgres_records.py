"""The operator's records in the store on PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from restante.store.postgres import (
    directory_reading,
    identity_writing,
    record_statements,
    record_writing,
)
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.record_store import Absent
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login, LoginUse
from restante.tenancy.notice import Channel
from restante.tenancy.numbered_change import NumberedChange
from restante.tenancy.portal_user import PortalUser


class PostgresRecords:
    """A `RecordStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def directory(self) -> Directory:
        """Return all of them at the present change number."""
        found = await self._core.read(directory_reading.directory_rows, at_once=True)
        return directory_reading.directory_of(found)

    async def changes_since(self, number: int) -> Sequence[NumberedChange] | None:
        """Return the changes after a change number, of each record the last."""
        [(newest,)] = await self._core.fetch(record_statements.CHANGE_NUMBER)
        if newest == number:
            return []  # nearly always: no transaction for that
        question = partial(directory_reading.changes_since, number=number)
        return await self._core.read(question, at_once=True)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called after each change of a record, by this process or another one."""
        self._core.node.change_listeners.append(listener)

    async def put_account(
        self, account: Account, audit: AuditEntry, before: Account | Absent | None = None
    ) -> None:
        """Add or replace, by name."""
        change = partial(record_writing.put_account, account=account, audit=audit, before=before)
        await self._core.write(change)

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it, its tokens, and its portal users."""
        await self._core.write(partial(record_writing.remove_account, name=name, audit=audit))

    async def put_login(
        self, login: Login, audit: AuditEntry, before: Login | Absent | None = None
    ) -> None:
        """Add or replace, by user name."""
        change = partial(record_writing.put_login, login=login, audit=audit, before=before)
        await self._core.write(change)

    async def forget_prior_password(self, user: str, valid_until: float, audit: AuditEntry) -> None:
        """Forget the password before a rotation, if it is the one that is good until then."""
        change = partial(
            record_writing.forget_prior_password, user=user, valid_until=valid_until, audit=audit
        )
        await self._core.write(change)

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it and its last use."""
        await self._core.write(partial(record_writing.remove_login, user=user, audit=audit))

    async def record_login_uses(self, uses: Mapping[str, LoginUse]) -> None:
        """Keep the last uses by user name."""
        await self._core.write(partial(record_writing.record_login_uses, uses=uses))

    async def login_uses(self) -> Mapping[str, LoginUse]:
        """Return the last use of each login that was used, by user name."""
        rows = await self._core.fetch(record_statements.LOGIN_USES)
        return {user: LoginUse(*rest) for user, *rest in rows}

    async def put_domain(
        self, domain: HostedDomain, audit: AuditEntry, before: HostedDomain | None = None
    ) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        change = partial(record_writing.put_domain, domain=domain, audit=audit, before=before)
        return await self._core.write(change)

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and the drain that it has."""
        await self._core.write(
            partial(record_writing.remove_domain, domain_id=domain_id, audit=audit)
        )

    async def put_channel(
        self, channel: Channel, audit: AuditEntry, before: Channel | None = None
    ) -> Channel:
        """Add a channel (id 0), or replace one; return it with its id."""
        change = partial(identity_writing.put_channel, channel=channel, audit=audit, before=before)
        return await self._core.write(change)

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        await self._core.write(
            partial(identity_writing.remove_channel, channel_id=channel_id, audit=audit)
        )

    async def put_token(
        self, token: ApiToken, audit: AuditEntry, known: Collection[str] | None = None
    ) -> None:
        """Add or replace, by id."""
        change = partial(identity_writing.put_token, token=token, audit=audit, known=known)
        await self._core.write(change)

    async def remove_tokens(self, ids: Sequence[str]) -> None:
        """Remove the records of tokens that are over."""
        await self._core.write(partial(identity_writing.remove_tokens, ids=ids))

    async def record_token_uses(self, uses: Mapping[str, float]) -> None:
        """Keep the times of last uses by id."""
        await self._core.write(partial(identity_writing.record_token_uses, uses=uses))

    async def token_uses(self) -> Mapping[str, float]:
        """Return the time of the last use of each token that was used, by id."""
        rows = await self._core.fetch(record_statements.TOKEN_USES)
        return dict(map(tuple, rows))

    async def put_portal_user(self, user: PortalUser, audit: AuditEntry) -> None:
        """Add (revision 1) or replace, by email address."""
        await self._core.write(partial(identity_writing.put_user, user=user, audit=audit))

    async def remove_portal_user(self, email: str, audit: AuditEntry) -> None:
        """Remove it and its sessions."""
        await self._core.write(partial(record_writing.remove_user, email=email, audit=audit))
