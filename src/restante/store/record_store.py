"""The port of a store for the operator's records.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, Protocol

from restante.phrases import CHANGED_MEANWHILE
from restante.store.store_errors import Overtaken
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login, LoginUse
from restante.tenancy.notice import Channel
from restante.tenancy.numbered_change import NumberedChange
from restante.tenancy.portal_user import PortalUser

CHANGES_KEPT: Final = 1000  # so many changes behind, a process reads all records again


class Absent(Enum):
    """The type of ABSENT."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT  # in place of a record before a change: there is none


def is_as_before(present: object, before: object) -> bool:
    """Return whether a record is as it was before a change; None: there is no record. Pure."""
    return before is None or present == (None if before is ABSENT else before)


def check_known(ids: Iterable[str], known: Collection[str] | None) -> None:
    """Raise Overtaken for an id that is not among the known ones; None: all are."""
    if known is not None and not set(ids) <= set(known):
        raise Overtaken(f"a token {CHANGED_MEANWHILE}")


class RecordStore(Protocol):
    """The operator's records. Each change also writes its audit entry and moves the change number.

    Removing what is not there is no change.

    `before` of a change is the record that it was made from. If the record is not as it was then,
    or is not there, Overtaken is raised. So of two changes that were made from one record, only the
    first is kept. With ABSENT there must be no record, so that two additions do not replace each
    other. Without `before`, whatever is there is replaced.
    """

    async def directory(self) -> Directory:
        """Return all of them at the present change number."""

    async def changes_since(self, number: int) -> Sequence[NumberedChange] | None:
        """Return the changes after a change number, by number, of each record the last.

        Changes of lists of recipients are among them. The records are as at the last number. None
        if `number` is too old, or is not one of this store: then read `directory`. Cheap if
        nothing was changed: each process asks once a second.
        """

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called at once after each change of a record. No I/O.

        A store knows of the changes of other processes only if its database notifies it. So a
        caller that must know all of them also asks `changes_since` once a second. It may be
        called without a change.
        """

    async def put_account(
        self, account: Account, audit: AuditEntry, before: Account | Absent | None = None
    ) -> None:
        """Add or replace, by name."""

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it, its tokens, and its portal users with their sessions.

        Raises Conflict while it has logins, domains or channels.
        """

    async def put_login(
        self, login: Login, audit: AuditEntry, before: Login | Absent | None = None
    ) -> None:
        """Add or replace, by user name.

        Raises Conflict if that user name is another account's, or its own no longer exists.
        """

    async def forget_prior_password(self, user: str, valid_until: float, audit: AuditEntry) -> None:
        """Forget the password before a rotation, if it is the one that is good until then.

        Otherwise this is no change: the login was changed meanwhile.
        """

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it and its last use."""

    async def record_login_uses(self, uses: Mapping[str, LoginUse]) -> None:
        """Keep the last uses by user name. An earlier one than the one kept is ignored.

        This is no change of the records: the change number stays. User names that are not there
        are ignored.
        """

    async def login_uses(self) -> Mapping[str, LoginUse]:
        """Return the last use of each login that was used, by user name."""

    async def put_domain(
        self, domain: HostedDomain, audit: AuditEntry, before: HostedDomain | None = None
    ) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id.

        Raises Conflict if id is 0 and the name is there, or if the id does not exist or has another
        name. Raises Conflict also if the account does not exist. A domain never changes its name:
        its mail would follow it to another domain's destination.
        """

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""

    async def put_channel(
        self, channel: Channel, audit: AuditEntry, before: Channel | None = None
    ) -> Channel:
        """Add a channel (id 0), or replace the one of its account, name and id; return it with id.

        Part of the operator's records. Notices that wait for a replaced channel stay in their
        order. They are due at the time of the audit entry, if not before: the new way may work now.
        Raises Conflict if the account has another of that name, or does not exist, or has no such
        channel to replace.
        """

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it. Removing what is not there is no change."""

    async def put_token(
        self, token: ApiToken, audit: AuditEntry, known: Collection[str] | None = None
    ) -> None:
        """Add or replace, by id.

        Raises Conflict if the id is another account's, or its own account does not exist. The
        account "" is the operator's and always exists. Raises Overtaken if `known` is given, and
        the account has a token with another id than these.
        """

    async def remove_tokens(self, ids: Sequence[str]) -> None:
        """Remove the records of tokens that are over, without an entry in the trail."""

    async def record_token_uses(self, uses: Mapping[str, float]) -> None:
        """Keep the Unix times of last uses by id. An earlier time than the one kept is ignored.

        This is no change of the records: the change number stays. Ids that are not there are
        ignored.
        """

    async def token_uses(self) -> Mapping[str, float]:
        """Return the time of the last use of each token that was used, by id."""

    async def put_portal_user(self, user: PortalUser, audit: AuditEntry) -> None:
        """Add (revision 1) or replace, by email address.

        Raises Conflict unless the record that is there has the revision before this one, and the
        same account. So of two changes that were made from one record, only the first is kept.
        Raises Conflict also if the account does not exist; the account "" is the operators'.
        Sessions of the user that have another stamp than the new record are removed.
        """

    async def remove_portal_user(self, email: str, audit: AuditEntry) -> None:
        """Remove it and its sessions."""
