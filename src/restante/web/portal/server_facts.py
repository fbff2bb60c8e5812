"""The server's state as the operator's overview says it: disk, sessions, store. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from restante.admin.server_status import BacklogView, DoorView, RoomView, StatusView, StoreView
from restante.reception.doorkeeper import ShedCause
from restante.web.portal.page_wording import (
    counted_thing,
    number,
    short_octets,
    short_span,
    time_ago,
)

_LIMITS: Final[Mapping[ShedCause, str]] = {
    ShedCause.SESSIONS: "all sessions were taken",
    ShedCause.SESSIONS_PER_BLOCK: "too many sessions from one network",
    ShedCause.UNAUTHENTICATED_SESSIONS: "too many sessions without a login",
    ShedCause.CONNECTIONS_PER_MINUTE: "too many connections in a minute from one network",
}


@dataclass(frozen=True, slots=True)
class ServerFact:
    """One line about the server. `state` is a word that stands out, such as `short`."""

    name: str
    text: str
    details: tuple[str, ...] = ()
    state: str = ""


def server_facts(view: StatusView, now: float) -> Iterator[ServerFact]:
    """Yield the lines; `now` is Unix time."""
    if view.room is not None:
        yield _disk(view.room)
    yield _store(view.store, now)
    if view.door is not None:
        yield from _door(view.door)
    reports = f"{counted_thing(view.reports.waiting, 'report')} to senders"
    notices = counted_thing(view.notices.waiting, "notice")
    text = f"{reports}{_age(view.reports, now)}; {notices}{_age(view.notices, now)}"
    yield ServerFact("Waiting to be sent", text)


def _age(backlog: BacklogView, now: float) -> str:
    """Return for how long the oldest waits, as the end of a phrase."""
    if backlog.oldest_at is None:
        return ""
    since = short_span(now - backlog.oldest_at.timestamp())
    return f", the oldest for {since}" if backlog.waiting > 1 else f" for {since}"


def _disk(room: RoomView) -> ServerFact:
    limit = f"mail is taken down to {short_octets(room.disk_reserve)}"
    if room.free_octets is None:
        return ServerFact("Disk", "not known to this server: the store is in a database")
    text = f"{short_octets(room.free_octets)} free; {limit}"
    return ServerFact("Disk", text, state="short" if room.is_short else "")


def _store(store: StoreView, now: float) -> ServerFact:
    state = "failed" if store.failure else ""
    damaged = counted_thing(store.damaged_messages, "message is", "messages are")
    details = (f"{damaged} damaged",) if store.damaged_messages else ()
    if store.is_scrub_under_way:
        text = f"being checked, {counted_thing(store.scrubbed_messages, 'message')} so far"
    elif store.scrubbed_at is not None:
        text = f"last checked {time_ago(store.scrubbed_at, now)}"
    else:
        text = "not checked since the start"
    return ServerFact("Store", text, details, state)


def _door(door: DoorView) -> Iterator[ServerFact]:
    yield ServerFact("Sessions", f"{number(door.sessions)} of {number(door.sessions_limit)}")
    shed = {cause: count for cause, count in door.shed.items() if count}
    text = "no connection since the start"
    if shed:
        text = f"{counted_thing(sum(shed.values()), 'connection')} since the start, with 421"
    details = tuple(f"{number(count)}: {_LIMITS[cause]}" for cause, count in shed.items())
    yield ServerFact("Turned away", text, details)
