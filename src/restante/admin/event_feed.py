"""The latest events, in memory, for clients that follow them.

The feed has what notices report, and changes of records. A follower has a place in a ring of the
last events and reads from there at its own speed. So no follower delays anything. One that falls
behind the ring is told that it missed events.

The feed also tells which domains hold more or less mail than before. Under load that changes all
the time, so such events are not in the ring. Each follower has a set of domains that changed since
it last read, and gets their figures of now.
"""

import asyncio
import re
import secrets
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.held_changes import HeldChanges
from restante.background.clocks import Wait, wait_at_most
from restante.background.loop_slices import in_turns
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel, NoticeFacts
from restante.tenancy.numbered_change import NumberedChange, RecordKind
from restante.tenancy.principal import Principal
from restante.tenancy.token_chain import accepted_until

RING: Final = 2000  # events
MOST: Final = 16  # followers
MOST_OF_ONE: Final = 4  # followers of one account with all its tokens, or of one operator
FOR_OPERATORS: Final = 4  # places that accounts leave free
HEARTBEAT_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 1.0  # between two looks at held mail
_NUMBER: Final = re.compile(r"[0-9]{1,15}\Z")
FOLLOW_SECONDS: Final = 900.0  # then the client connects again, and is authenticated again


class FeedKind(StrEnum):
    """The kinds of events."""

    NOTICE = "notice"  # as notices report it
    RECORD = "record"  # a record was added, changed or removed
    HELD = "held"  # the held mail of a domain has changed; these events have no id
    MISSED = "missed"  # events are missing here: read again what you show


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event, with the account and domain that it is about."""

    kind: FeedKind
    account: str  # "" for the server
    domain: str  # "" if it is about no single domain
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event and its id."""

    id: str  # "" for one that is not kept
    event: FeedEvent


@dataclass(eq=False, slots=True)
class _Follower:
    principal: Principal
    place: int  # the number of the next event to read
    ends_at: float  # seconds of the monotonic clock
    changed: set[int] = field(default_factory=set)  # domains by id, whose held mail has changed
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class EventFeed:
    """Keeps the last events, and wakes those that follow them. Belongs to the event loop."""

    def __init__(
        self,
        directory: LiveDirectory,
        now: Callable[[], float],
        wait: Wait = wait_at_most,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        held: HeldChanges | None = None,
    ) -> None:
        """`now` is Unix time. Without `held`, nothing is told about held mail."""
        self._monotonic = monotonic
        self._held = held
        self._directory = directory
        self._before = directory.now  # as of the last change
        self._now = now
        self._wait = wait
        self._run = secrets.token_hex(4)  # ids of another run of the server are unknown here
        self._ring: deque[FeedEvent] = deque(maxlen=RING)
        self._end = 0  # the number of the next event
        self._followers: set[_Follower] = set()
        self._is_closed = False

    def hear_notice(self, facts: NoticeFacts) -> None:
        """Take an event that notices report."""
        data = {
            "kind": facts.kind,
            "account": facts.account,
            "about": facts.about,
            "text": facts.text,
            "at": facts.at,
            "details": dict(facts.details),
        }
        domain = str(facts.details.get("domain", ""))
        self._add(FeedEvent(FeedKind.NOTICE, facts.account, domain, data))

    def hear_changes(self, changes: Sequence[NumberedChange] | None) -> None:
        """Take changes of records; None: all were read again."""
        before, self._before = self._before, self._directory.now
        for change in changes or ():
            for event in record_events(change, before, self._before, self._now()):
                self._add(event)
            if change.kind is RecordKind.ACCOUNT and change.record is None:
                self._take_from(change.key)
        if changes is None:
            self._ring.clear()
            self._end += 1  # all followers have missed something
        self._wake()  # also without an event: a follower may have lost its rights

    async def look_at_held(self) -> float:
        """Let followers know whose held mail has changed; return the seconds to the next look."""
        if self._held is not None and self._followers:
            changed = await self._held.look()
            for follower in self._followers if changed else ():
                follower.changed.update(changed)
                follower.woken.set()
        return LOOK_SECONDS

    def close(self) -> None:
        """End all followers: the server stops."""
        self._is_closed = True
        self._wake()

    def _check_room(self, principal: Principal) -> None:
        if not has_room(principal, [one.principal for one in self._followers]):
            raise AdminError(
                ErrorKind.TRY_LATER,
                "events: too many clients follow them",
                "close another one, or try again later",
            )

    async def follow(self, principal: Principal, after: str) -> AsyncIterator[PlacedEvent | None]:
        """Yield the events that a principal may see, and None as a heartbeat: one at once.

        Raises AdminError before the first if too many clients follow already.

        `after` is the id of the last one that it has, "" for new ones only. The stream ends when
        the server stops, or after FOLLOW_SECONDS. It also ends when the principal's token, or one
        of its makers, has expired or has other rights: see accepted_until.
        """
        self._check_room(principal)
        place, has_missed = self._place_after(after)
        follower = _Follower(principal, place, self._monotonic() + FOLLOW_SECONDS)
        if self._held is not None and not self._followers:
            self._held.begin()  # nobody looked until now
        self._followers.add(follower)
        try:
            yield None
            if has_missed and self._goes_on(follower):
                yield self._missed()
            while self._goes_on(follower):
                follower.woken.clear()  # an event that comes while these are sent sets it again
                for placed in self._unread(follower):
                    if self._seconds_left(principal) <= 0:
                        return
                    if sees_event(principal, placed.event):
                        yield placed
                async for event in in_turns(self._held_events(follower)):
                    yield PlacedEvent("", event)
                if follower.place == self._end and not follower.changed:
                    patience = min(HEARTBEAT_SECONDS, self._seconds_left(principal))
                    await self._wait(follower.woken, patience)
                    if not follower.woken.is_set() and self._goes_on(follower):
                        yield None
        finally:
            self._followers.discard(follower)

    def _goes_on(self, follower: _Follower) -> bool:
        is_in_time = self._monotonic() < follower.ends_at
        return is_in_time and not self._is_closed and self._seconds_left(follower.principal) > 0

    def _seconds_left(self, principal: Principal) -> float:
        """Return for how long a principal will be accepted, as the records are now."""
        return accepted_until(principal, self._directory.now) - self._now()

    def _unread(self, follower: _Follower) -> Iterator[PlacedEvent]:
        while follower.place < self._end:
            first = self._end - len(self._ring)
            if follower.place < first:
                follower.place = first
                yield self._missed()
                continue
            event = self._ring[follower.place - first]
            follower.place += 1
            yield PlacedEvent(f"{self._run}-{follower.place}", event)

    def _held_events(self, follower: _Follower) -> Iterator[FeedEvent]:
        """Yield the figures of now, for domains that changed since the follower last read."""
        told, follower.changed = follower.changed, set()
        for domain_id in told:
            domain = self._directory.now.domain_by_id(domain_id)
            if domain is None or self._held is None or self._seconds_left(follower.principal) <= 0:
                continue
            usage = self._held.usage(domain_id)
            data = {
                "domain": domain.name,
                "account": domain.account,
                "messages": usage.messages,
                "octets": usage.octets,
                "held": usage.held,
                "at": self._now(),
            }
            event = FeedEvent(FeedKind.HELD, domain.account, domain.name, data)
            if sees_event(follower.principal, event):
                yield event

    def _place_after(self, last_id: str) -> tuple[int, bool]:
        """Return where to go on after the event with this id, and whether events are missing."""
        if not last_id:
            return self._end, False
        run, _, number = last_id.partition("-")
        first = self._end - len(self._ring)
        if run != self._run or not _NUMBER.match(number):
            return self._end, True
        place = int(number)
        is_known = first <= place <= self._end
        return (place, False) if is_known else (self._end, True)

    def _missed(self) -> PlacedEvent:
        return PlacedEvent(f"{self._run}-{self._end}", FeedEvent(FeedKind.MISSED, "", "", {}))

    def _add(self, event: FeedEvent) -> None:
        self._ring.append(event)
        self._end += 1
        self._wake()

    def _take_from(self, account: str) -> None:
        """Leave the events of a removed account to operators: one of its name may follow."""
        for place, event in enumerate(self._ring):
            if event.account == account:
                self._ring[place] = replace(event, account="")

    def _wake(self) -> None:
        for follower in self._followers:
            follower.woken.set()


def has_room(principal: Principal, present: Sequence[Principal]) -> bool:
    """Return whether a principal may follow beside the present followers.

    However many accounts there are, they leave places for operators, who have no account.
    """
    own = Counter(map(_place_owner, present))[_place_owner(principal)]
    of_accounts = sum(one.account != "" for one in present)
    is_left = principal.account == "" or of_accounts < MOST - FOR_OPERATORS
    return is_left and own < MOST_OF_ONE and len(present) < MOST


def _place_owner(principal: Principal) -> tuple[str, str]:
    """Return whose place a follower takes: its account's, or that of an operator by name."""
    return principal.account, "" if principal.account else principal.name


def sees_event(principal: Principal, event: FeedEvent) -> bool:
    """Return whether an event exists for a principal: as the thing does that it is about."""
    if event.kind is FeedKind.MISSED or principal.sees(event.account):
        return True
    return event.domain != "" and principal.sees_domain(event.account, event.domain)


def record_events(
    change: NumberedChange, before: Directory, after: Directory, at: float
) -> Iterator[FeedEvent]:
    """Yield the events of a change. A domain that moves leaves one account and enters another."""
    old = _named(change, before)
    new = _named(change, after)
    if change.record is None and change.kind is not RecordKind.RECIPIENTS:
        new = None
    if old is not None and (new is None or new.account != old.account):
        yield _record_event(change, old, "removed", at)
    if new is not None:
        is_added = old is None or old.account != new.account
        yield _record_event(change, new, "added" if is_added else "changed", at)


@dataclass(frozen=True, slots=True)
class _Named:
    account: str
    name: str


def _named(change: NumberedChange, directory: Directory) -> _Named | None:
    """Return the name of the record in a picture, and whose it is."""
    key = change.key
    match change.kind:
        case RecordKind.ACCOUNT:
            record: Account | Login | HostedDomain | Channel | None = directory.accounts.get(key)
        case RecordKind.LOGIN:
            record = directory.logins.get(key)
        case RecordKind.DOMAIN | RecordKind.RECIPIENTS:
            record = directory.domain_by_id(int(key))
        case RecordKind.CHANNEL:
            record = directory.channels.get(int(key))
        case RecordKind.TOKEN:
            token = directory.tokens.get(key)
            return None if token is None else _Named(token.account, token.name)
        case RecordKind.PORTAL_USER:
            user = directory.portal_users.get(key)
            return None if user is None else _Named(user.account, user.email)
    match record:
        case Account():
            return _Named(record.name, record.name)
        case Login():
            return _Named(record.account, record.user)
        case HostedDomain() | Channel():
            return _Named(record.account, record.name)
        case None:
            return None


def _record_event(change: NumberedChange, named: _Named, what: str, at: float) -> FeedEvent:
    is_of_domain = change.kind in (RecordKind.DOMAIN, RecordKind.RECIPIENTS)
    data = {
        "kind": change.kind,
        "name": named.name,
        "account": named.account,
        "change": what,
        "at": at,
    }
    domain = named.name if is_of_domain else ""
    return FeedEvent(FeedKind.RECORD, named.account, domain, data)
