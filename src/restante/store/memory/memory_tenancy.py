"""The records of a store in memory: accounts, logins, domains, channels; and their audit trail."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from restante.phrases import EXISTS, REMOVED_MEANWHILE
from restante.store.interface import AuditPage, NodeRequest
from restante.store.store_errors import Conflict
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter, is_granted_request
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel

_Value = TypeVar("_Value")


class MemoryTenancy(ABC):
    """The records; a subclass says which data is removed together with one."""

    def __init__(self) -> None:
        super().__init__()
        self._last_domain_id = 0
        self._last_channel_id = 0
        self._directory = Directory()
        self._audit: list[AuditEntry] = []

    @abstractmethod
    def _holds_mail(self, domain_id: int) -> bool: ...

    @abstractmethod
    def _domain_removed(self, domain_id: int) -> None: ...

    @abstractmethod
    def _channel_changed(self, channel_id: int, at: float) -> None: ...

    @abstractmethod
    def _channel_removed(self, channel_id: int) -> None: ...

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return self._directory

    async def put_account(self, account: Account, audit: AuditEntry) -> None:
        """Add or replace, by name."""
        self._change(audit, accounts={**self._directory.accounts, account.name: account})

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins, domains or channels."""
        has_channels = any(channel.account == name for channel in self._directory.channels.values())
        if (
            any(self._directory.logins_of(name))
            or any(self._directory.domains_of(name))
            or has_channels
        ):
            raise Conflict(f"account {name} has logins, domains or channels")
        if name in self._directory.accounts:
            self._change(audit, accounts=_without(self._directory.accounts, name))

    async def put_login(self, login: Login, audit: AuditEntry) -> None:
        """Add or replace, by user name."""
        self._check_account(login.account)
        present = self._directory.logins.get(login.user)
        if present and present.account != login.account:
            raise Conflict(f"user name {login.user} is taken")
        self._change(audit, logins={**self._directory.logins, login.user: login})

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        if user in self._directory.logins:
            self._change(audit, logins=_without(self._directory.logins, user))

    async def put_domain(self, domain: HostedDomain, audit: AuditEntry) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        self._check_account(domain.account)
        present = self._directory.domains.get(domain.name)
        if (present.id if present else 0) != domain.id:
            raise Conflict(f"domain {domain.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if not present:
            self._last_domain_id += 1
            domain = replace(domain, id=self._last_domain_id)
        self._change(audit, domains={**self._directory.domains, domain.name: domain})
        return domain

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        if self._holds_mail(domain_id):
            raise Conflict(f"domain {domain_id} holds mail")
        present = self._directory.domain_by_id(domain_id)
        if present is None:
            return
        self._domain_removed(domain_id)
        self._change(audit, domains=_without(self._directory.domains, present.name))

    async def put_channel(self, channel: Channel, audit: AuditEntry) -> Channel:
        """Add (id 0) or replace a channel of notices, and return it with its id."""
        if channel.account:
            self._check_account(channel.account)
        present = self._directory.channel(channel.account, channel.name)
        if (present.id if present else 0) != channel.id:
            raise Conflict(f"channel {channel.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if present:
            self._channel_changed(channel.id, audit.at)
        else:
            self._last_channel_id += 1
            channel = replace(channel, id=self._last_channel_id)
        self._change(audit, channels={**self._directory.channels, channel.id: channel})
        return channel

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        if channel_id in self._directory.channels:
            self._channel_removed(channel_id)
            left = {
                number: one
                for number, one in self._directory.channels.items()
                if number != channel_id
            }
            self._change(audit, channels=left)

    def _change(
        self,
        audit: AuditEntry,
        *,
        accounts: Mapping[str, Account] | None = None,
        logins: Mapping[str, Login] | None = None,
        domains: Mapping[str, HostedDomain] | None = None,
        channels: Mapping[int, Channel] | None = None,
    ) -> None:
        was = self._directory
        self._directory = Directory(
            was.change_number + 1,
            was.accounts if accounts is None else accounts,
            was.logins if logins is None else logins,
            was.domains if domains is None else domains,
            was.channels if channels is None else channels,
        )
        self._audit.append(audit)

    def _check_account(self, name: str) -> None:
        if name not in self._directory.accounts:
            raise Conflict(f"account {name} no longer exists")

    def _check_hosted(self, domain_id: int) -> None:
        if self._directory.domain_by_id(domain_id) is None:
            raise Conflict(f"domain {domain_id} no longer exists")

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        self._audit.extend(entries)

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest of the entries wanted, newest first."""
        return (await self.audit_page(wanted, limit)).entries

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or the next older ones."""
        places = range(len(self._audit) if before is None else before)
        found = list(
            islice(
                (place for place in reversed(places) if wanted.accepts(self._audit[place])), limit
            )
        )
        return AuditPage(
            [self._audit[place] for place in found], found[-1] if len(found) == limit else None
        )

    async def last_requests(self) -> Sequence[NodeRequest]:
        """Return when each node was last asked for with a positive answer."""
        granted = (one for one in self._audit if is_granted_request(one))
        found: dict[tuple[str, str], float] = {}
        for one in granted:
            key = (one.subject.lower(), one.account)
            found[key] = max(one.at, found.get(key, one.at))
        return [NodeRequest(*key, at) for key, at in sorted(found.items())]


def _without(records: Mapping[str, _Value], key: str) -> dict[str, _Value]:
    return {name: record for name, record in records.items() if name != key}
