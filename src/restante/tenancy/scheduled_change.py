"""Changes of destinations and authorized hosts that wait for their time. Pure.

An account's change of these is not applied at once (S9): a thief of its token or session would
redirect the mail before anybody notices. The change replaces one or both of two parts of the
record. Each part is replaced whole, and only if it is still as it was when the change was made. The
limits of an operator beside them, such as the number of connections, belong to no part.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from restante.tenancy.record_change import Change, changes_between

DESTINATION: Final = "destination"
AUTHORIZED_HOSTS: Final = "authorized hosts"

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class PartReplacement(Generic[_Part]):
    """One part of a record: as it was when the change was made, and as it will be."""

    former: _Part
    wanted: _Part


@dataclass(frozen=True, slots=True)
class ChangeMaker:
    """The principal that made a change, by which its rights are found again."""

    name: str  # as in the audit trail
    acted_from: str
    token: str = ""  # the id of its token; "" without one
    user: str = ""  # the email address of the portal user; "" if it is none


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """A change that waits. Times are Unix time."""

    id: int  # the store's number for it, never used again; 0 before it is stored
    domain_id: int
    domain: str  # canonical
    account: str  # of the domain, when the change was made
    maker: ChangeMaker
    made_at: float
    applies_at: float
    destination: PartReplacement[Destination] | None = None
    authorized_hosts: PartReplacement[AuthorizedHosts] | None = None
    reason: str = ""
    is_announced: bool = False  # whether notices about it are stored

    @property
    def parts(self) -> frozenset[str]:
        """The names of the parts that it replaces."""
        return frozenset(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.destination is not None:
            yield DESTINATION
        if self.authorized_hosts is not None:
            yield AUTHORIZED_HOSTS

    @property
    def parts_text(self) -> str:
        """The parts as a sentence names them."""
        return " and ".join(self._parts())

    @property
    def changes(self) -> Sequence[Change]:
        """Each field that differs, before and after, without secrets."""
        former = wanted = HostedDomain(
            0, self.domain, self.account, Destination(""), AuthorizedHosts(), 0.0
        )
        if self.destination is not None:
            former = replace(former, destination=self.destination.former)
            wanted = replace(wanted, destination=self.destination.wanted)
        if self.authorized_hosts is not None:
            former = replace(former, authorized_hosts=self.authorized_hosts.former)
            wanted = replace(wanted, authorized_hosts=self.authorized_hosts.wanted)
        return changes_between(former, wanted)

    def wants_the_same(self, other: "ScheduledChange") -> bool:
        """Tell whether both lead to the same record."""
        return (self.domain_id, self.destination, self.authorized_hosts) == (
            other.domain_id,
            other.destination,
            other.authorized_hosts,
        )


def direction(destination: Destination) -> Destination:
    """Return a destination without the limits that only operators set."""
    plain = Destination("")
    return replace(
        destination,
        connections=plain.connections,
        per_minute=plain.per_minute,
        may_be_private=plain.may_be_private,
    )


def destination_change(
    present: HostedDomain, wanted: HostedDomain
) -> PartReplacement[Destination] | None:
    """Return the change of where the mail goes, and of how; None if there is none."""
    former, after = direction(present.destination), direction(wanted.destination)
    return PartReplacement(former, after) if former != after else None


def hosts_change(
    present: HostedDomain, wanted: HostedDomain
) -> PartReplacement[AuthorizedHosts] | None:
    """Return the change of the authorized hosts; None if there is none.

    The order of the hosts is of no meaning.
    """
    former, after = present.authorized_hosts, wanted.authorized_hosts
    return PartReplacement(former, after) if set(former.texts) != set(after.texts) else None


def without_scheduled_parts(present: HostedDomain, wanted: HostedDomain) -> HostedDomain:
    """Return the wanted domain with the present destination and authorized hosts.

    The limits beside them are those that are wanted.
    """
    destination = replace(
        present.destination,
        connections=wanted.destination.connections,
        per_minute=wanted.destination.per_minute,
    )
    return replace(wanted, destination=destination, authorized_hosts=present.authorized_hosts)


def objection(change: ScheduledChange, present: HostedDomain | None) -> str:
    """Return why a change cannot be made to a record as it is now; "" if it can."""
    if present is None or present.id != change.domain_id:
        return "the domain was removed"
    if present.account != change.account:
        return "the domain has moved to another account"
    if change.destination and direction(present.destination) != change.destination.former:
        return f"the {DESTINATION} was changed meanwhile"
    hosts = change.authorized_hosts
    if hosts and set(present.authorized_hosts.texts) != set(hosts.former.texts):
        return f"the {AUTHORIZED_HOSTS} were changed meanwhile"
    return ""


def with_change(change: ScheduledChange, present: HostedDomain) -> HostedDomain:
    """Return a domain with the replaced parts. Its other fields stay as they are now."""
    domain = present
    if change.destination is not None:
        domain = replace(domain, destination=_moved(present.destination, change.destination.wanted))
    if change.authorized_hosts is not None:
        domain = replace(domain, authorized_hosts=change.authorized_hosts.wanted)
    return domain


def _moved(present: Destination, wanted: Destination) -> Destination:
    """Return a wanted destination with the present limits.

    The operator's leave for private addresses is for the present host and port alone.
    """
    is_same_place = (present.host, present.port) == (wanted.host, wanted.port)
    return replace(
        wanted,
        connections=present.connections,
        per_minute=present.per_minute,
        may_be_private=present.may_be_private if is_same_place else None,
    )
