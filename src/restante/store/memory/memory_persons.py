"""The person port of the store in memory."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from itertools import islice
from typing import Any, Final

from restante.queue.history import HistoryEntry
from restante.queue.presence import PresenceChange
from restante.store.handover_store import PastDrain
from restante.store.memory.memory_state import MemoryState
from restante.store.person_store import MARK, Fact, PersonalRow, PersonalRows, PersonPlace
from restante.store.release_store import ReleaseRecord
from restante.store.stored_form.origin_column import past_origin_text, read_past_origin
from restante.tenancy.audit import AuditEntry
from restante.tenancy.notice import Notice, PastNotice
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.person import Person
from restante.tenancy.record_change import Change

_TEXTS: Final[Mapping[type, tuple[str, ...]]] = {
    HistoryEntry: ("reply",),
    AuditEntry: ("actor", "subject", "answer", "reason"),
    ReleaseRecord: ("actor", "target", "reason"),
    PastDrain: ("requested_by", "reason", "last_error"),
    PresenceChange: ("reason",),
}
# Of rows that are shown as dictionaries.
_TEXTS_OF_PLACES: Final[Mapping[PersonPlace, tuple[str, ...]]] = {
    PersonPlace.REPORTS: ("content", "reply"),
    PersonPlace.OPEN_DRAINS: ("requested_by", "stop"),
    PersonPlace.WAITING_CHANGES: ("maker", "portal_user", "reason"),
}
_OTHERS: Final[Mapping[type, tuple[str, ...]]] = {
    HistoryEntry: (
        *("reverse_path", "forward_path", "at", "outcome", "number", "domain_id", "octets"),
        *("client", "message_id"),
    ),
    AuditEntry: ("at", "action", "account", "acted_from", "domain"),
    ReleaseRecord: ("at", "acted_from", "account", "domain", "pending"),
    PastDrain: ("started_at", "ended_at"),
    PresenceChange: ("at", "account", "destination", "seen"),
}


class MemoryPersons:
    """A `PersonStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def find_person(
        self, place: PersonPlace, person: Person, after: int, limit: int
    ) -> PersonalRows:
        """Look at the next rows of a place."""
        if place is PersonPlace.RECIPIENTS:
            found = [PersonalRow(0, facts) for facts in _recipients(self._state, person)]
            return PersonalRows(found, len(found), None)
        rows = ((key, one) for key, one in _PLACES[place](self._state) if key > after)
        looked_at = list(islice(rows, limit))
        found = [
            PersonalRow(key, _facts(one)) for key, one in looked_at if _names(person, place, one)
        ]
        last = looked_at[-1][0] if len(looked_at) == limit else None
        return PersonalRows(found, len(looked_at), last)

    async def erase_person(
        self, place: PersonPlace, person: Person, mark: str, keys: Sequence[int]
    ) -> int:
        """Put the mark in place of the address in these rows."""
        if place is PersonPlace.RECIPIENTS:
            return self._remove_recipients(person)
        concerned = [
            (key, one)
            for key, one in _PLACES[place](self._state)
            if key in keys and _names(person, place, one)
        ]
        for key, one in concerned:
            self._put(key, _without(one, person, mark))
        return len(concerned)

    async def begin_erasure(self, person: str) -> str:
        """Return the mark for an address."""
        if person not in self._state.erasures:
            self._state.erasures.append(person)
        return f"{MARK}{self._state.erasures.index(person) + 1}"

    async def end_erasure(self, mark: str, audit: AuditEntry) -> None:
        """Forget the address that a mark stands for."""
        self._state.erasures[int(mark.removeprefix(MARK)) - 1] = ""
        self._state.trail.append(audit)

    def _remove_recipients(self, person: Person) -> int:
        found = list(_recipients(self._state, person))
        gone = {(one["domain_id"], one["source"], one["name"]) for one in found}
        left = {key: one for key, one in self._state.recipients.items() if key not in gone}
        self._state.replace_recipients(left)
        if found:
            self._state.note_change(RecordKind.RECIPIENTS, str(found[0]["domain_id"]), None)
        return len(found)

    def _put(self, key: int, one: object) -> None:
        match one:
            case HistoryEntry():
                self._state.history = [
                    one if entry.id == key else entry for entry in self._state.history
                ]
            case AuditEntry():
                self._state.trail[key - 1] = one
            case ReleaseRecord():
                self._state.releases[key] = one
            case PastDrain():
                self._state.past_drains[key] = one
            case PresenceChange():
                self._state.presence[key] = one
            case Notice():
                self._state.notices[key] = one
            case PastNotice():
                self._state.past_notices = [
                    one if past.number == key else past for past in self._state.past_notices
                ]


_NamingRows = Iterator[tuple[int, object]]


def _held(state: MemoryState) -> _NamingRows:
    for number, record in sorted(state.mail.items()):
        message = record.message
        yield (
            number,
            {
                "reverse_path": message.envelope.reverse_path,
                "recipients": "\n".join(record.all_paths),
                "domain_id": message.domain_id,
                "received_at": message.received_at,
                "size": message.size,
            },
        )


def _reports(state: MemoryState) -> _NamingRows:
    for number, report in state.reports.all():
        yield (
            number,
            {
                "reverse_path": report.reverse_path,
                "content": report.content.decode(errors="replace"),
                "reply": report.reply,
                "domain_id": report.domain_id,
                "made_at": report.made_at,
            },
        )


def _open_drains(state: MemoryState) -> _NamingRows:
    for domain_id, record in sorted(state.drains.records.items()):
        drain = record.drain
        yield (
            domain_id,
            {
                "requested_by": drain.requested_by,
                "stop": record.stop,
                "requested_at": drain.requested_at,
            },
        )


def _waiting_changes(state: MemoryState) -> _NamingRows:
    for number, change in state.scheduled.items():
        yield (
            number,
            {
                "maker": change.maker.name,
                "portal_user": change.maker.user,
                "reason": change.reason,
                "made_at": change.made_at,
                "applies_at": change.applies_at,
                "acted_from": change.maker.acted_from,
                "account": change.account,
                "domain": change.domain,
            },
        )


_PLACES: Final[Mapping[PersonPlace, Callable[[MemoryState], _NamingRows]]] = {
    PersonPlace.HELD: _held,
    PersonPlace.REPORTS: _reports,
    PersonPlace.OPEN_DRAINS: _open_drains,
    PersonPlace.WAITING_CHANGES: _waiting_changes,
    PersonPlace.UPTIME: lambda state: iter(sorted(state.presence.items())),
    PersonPlace.DRAINS: lambda state: iter(sorted(state.past_drains.items())),
    PersonPlace.NOTICES: lambda state: iter(sorted(state.notices.items())),
    PersonPlace.PAST_NOTICES: lambda state: ((one.number, one) for one in state.past_notices),
    PersonPlace.RELEASES: lambda state: iter(sorted(state.releases.items())),
    PersonPlace.HISTORY: lambda state: ((entry.id, entry) for entry in state.history),
    PersonPlace.AUDIT: lambda state: iter(list(enumerate(state.trail, 1))),
}


def _names(person: Person, place: PersonPlace, one: object) -> bool:
    """Tell whether a row names the person: it differs without the address."""
    if isinstance(one, dict):
        paths = [one.get("reverse_path", ""), *one.get("recipients", "").split("\n")]
        texts = (one[name] for name in _TEXTS_OF_PLACES.get(place, ()))
        return any(map(person.is_at, paths)) or person.is_named_in(*texts)
    return _without(one, person, MARK) != one


def _without(one: object, person: Person, mark: str) -> object:
    match one:
        case Notice() | PastNotice():
            facts_without = replace(
                one.facts,
                about=person.without(one.facts.about, mark),
                text=person.without(one.facts.text, mark),
                details=person.value_without(dict(one.facts.details), mark),
            )
            return replace(one, facts=facts_without, reply=person.without(one.reply, mark))
        case HistoryEntry() | AuditEntry() | ReleaseRecord() | PastDrain() | PresenceChange():
            changed: dict[str, Any] = {
                name: person.without(getattr(one, name), mark) for name in _TEXTS[type(one)]
            }
            if isinstance(one, HistoryEntry):
                for name in ("reverse_path", "forward_path"):
                    changed[name] = person.path_without(getattr(one, name), mark)
                origin = person.json_without(_origin(one), mark)
                changed["origin"] = read_past_origin(origin, one.client)
            if isinstance(one, AuditEntry):
                changed["changes"] = tuple(
                    Change(*(person.without(text, mark) for text in astuple(change)))
                    for change in one.changes
                )
            return replace(one, **changed)
    return one


def _facts(one: object) -> dict[str, Fact]:
    """Return the facts of a row, by the names that they have in a table."""
    if isinstance(one, dict):
        return {name: value for name, value in one.items() if name != "content"}
    if isinstance(one, Notice | PastNotice):
        time = (
            {"ended_at": one.ended_at} if isinstance(one, PastNotice) else {"made_at": one.made_at}
        )
        names = ("kind", "account", "about", "text", "at")
        shown = {name: getattr(one.facts, name) for name in names}
        text = json.dumps({**shown, "details": dict(one.facts.details)}, separators=(",", ":"))
        return {"reply": one.reply, "facts": text, **time}
    facts = {name: getattr(one, name) for name in (*_TEXTS[type(one)], *_OTHERS[type(one)])}
    if isinstance(one, AuditEntry):
        changes = json.dumps([astuple(change) for change in one.changes], ensure_ascii=False)
        facts["changes"] = changes if one.changes else ""
    if isinstance(one, HistoryEntry):
        facts["origin"] = _origin(one)
    return facts


def _origin(entry: HistoryEntry) -> str | None:
    return None if entry.origin is None else past_origin_text(entry.origin)


def _recipients(state: MemoryState, person: Person) -> Iterator[dict[str, Fact]]:
    domain = state.directory.domains.get(person.domain)
    for (domain_id, source, name), one in sorted(state.recipients.items()):
        if domain is not None and domain_id == domain.id and person.is_local_part(name):
            facts: dict[str, Fact] = {"domain_id": domain_id, "source": str(source), "name": name}
            yield {**facts, "is_there": int(one.is_there), "at": one.at}
