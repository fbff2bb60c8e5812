"""The operator's records that were changed, in the order of their numbers.

Each change moves the change number of the store by one. A process that knows the number it has
read up to asks for the changes after that, and applies them to its picture.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from restante.tenancy.api_token import ApiToken
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel
from restante.tenancy.portal_user import PortalUser

DirectoryRecord = Account | Login | HostedDomain | Channel | ApiToken | PortalUser


class RecordKind(StrEnum):
    """The kinds of records that a change can concern."""

    ACCOUNT = "account"
    LOGIN = "login"
    DOMAIN = "domain"
    CHANNEL = "channel"
    TOKEN = "token"  # noqa: S105  a name
    PORTAL_USER = "portal-user"
    RECIPIENTS = "recipients"  # the list of a domain


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """One record that was added, replaced or removed."""

    number: int
    kind: RecordKind
    # Name of an account, user name of a login, address of a portal user; otherwise the id of the
    # record or domain.
    key: str
    record: Account | Login | HostedDomain | Channel | ApiToken | PortalUser | None = None
    """The record as it is now; None if it was removed, and always None for RECIPIENTS."""


def after_changes(before: Directory, changes: Iterable[NumberedChange]) -> Directory:
    """Return a picture with the changes that came after it, which are in order."""
    number = before.change_number
    accounts, logins = dict(before.accounts), dict(before.logins)
    domains, channels = dict(before.domains), dict(before.channels)
    tokens, users = dict(before.tokens), dict(before.portal_users)
    by_key: Mapping[RecordKind, dict[str, Any]] = {
        RecordKind.ACCOUNT: accounts,
        RecordKind.LOGIN: logins,
        RecordKind.TOKEN: tokens,
        RecordKind.PORTAL_USER: users,
    }
    for change in changes:
        number = change.number
        match change.record:
            case Account() as account:
                accounts[account.name] = account
            case Login() as login:
                logins[login.user] = login
            case HostedDomain() as domain:
                domains[domain.name] = domain
            case Channel() as channel:
                channels[channel.id] = channel
            case ApiToken() as token:
                tokens[token.id] = token
            case PortalUser() as user:
                users[user.email] = user
            case None if change.kind is RecordKind.DOMAIN:
                _remove_domain(domains, before, int(change.key))
            case None if change.kind is RecordKind.CHANNEL:
                channels.pop(int(change.key), None)
            case None if (named := by_key.get(change.kind)) is not None:
                named.pop(change.key, None)
    return Directory(number, accounts, logins, domains, channels, tokens, users)


def _remove_domain(domains: dict[str, HostedDomain], before: Directory, domain_id: int) -> None:
    """Remove a domain. Another may have its name by now, under a new id."""
    known = before.domain_by_id(domain_id)
    if known is not None and domains[known.name].id == domain_id:
        del domains[known.name]
