"""The operator's records in a store that forgets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from restante.phrases import EXISTS, REMOVED_MEANWHILE
from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel

_Value = TypeVar("_Value")


class MemoryRecords:
    """A `TenancyStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._last_domain_id = 0
        self._last_channel_id = 0

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return self._state.directory

    async def put_account(self, account: Account, audit: AuditEntry) -> None:
        """Add or replace, by name."""
        self._change(audit, accounts={**self._state.directory.accounts, account.name: account})

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
            self._change(audit, accounts=_without(self._state.directory.accounts, name))

    async def put_login(self, login: Login, audit: AuditEntry) -> None:
        """Add or replace, by user name."""
        self._check_account(login.account)
        present = self._state.directory.logins.get(login.user)
        if present and present.account != login.account:
            raise Conflict(f"user name {login.user} is taken")
        self._change(audit, logins={**self._state.directory.logins, login.user: login})

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        if user in self._state.directory.logins:
            self._change(audit, logins=_without(self._state.directory.logins, user))

    async def put_domain(self, domain: HostedDomain, audit: AuditEntry) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        self._check_account(domain.account)
        present = self._state.directory.domains.get(domain.name)
        if (present.id if present else 0) != domain.id:
            raise Conflict(f"domain {domain.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if not present:
            self._last_domain_id += 1
            domain = replace(domain, id=self._last_domain_id)
        self._change(audit, domains={**self._state.directory.domains, domain.name: domain})
        return domain

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        if self._state.holds_mail(domain_id):
            raise Conflict(f"domain {domain_id} holds mail")
        present = self._state.directory.domain_by_id(domain_id)
        if present is None:
            return
        self._state.domain_removed(domain_id)
        self._change(audit, domains=_without(self._state.directory.domains, present.name))

    async def put_channel(self, channel: Channel, audit: AuditEntry) -> Channel:
        """Add (id 0) or replace a channel of notices, and return it with its id."""
        if channel.account:
            self._check_account(channel.account)
        present = self._state.directory.channel(channel.account, channel.name)
        if (present.id if present else 0) != channel.id:
            raise Conflict(f"channel {channel.name} {EXISTS}, or {REMOVED_MEANWHILE}")
        if present:
            self._state.hasten_channel(channel.id, audit.at)
        else:
            self._last_channel_id += 1
            channel = replace(channel, id=self._last_channel_id)
        self._change(audit, channels={**self._state.directory.channels, channel.id: channel})
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
        was = self._state.directory
        self._state.directory = Directory(
            was.change_number + 1,
            was.accounts if accounts is None else accounts,
            was.logins if logins is None else logins,
            was.domains if domains is None else domains,
            was.channels if channels is None else channels,
        )
        self._state.trail.append(audit)

    def _check_account(self, name: str) -> None:
        if name not in self._state.directory.accounts:
            raise Conflict(f"account {name} no longer exists")


def _without(records: Mapping[str, _Value], key: str) -> dict[str, _Value]:
    return {name: record for name, record in records.items() if name != key}
