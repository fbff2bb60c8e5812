"""The data of one person: exported for that person, or erased.

A store is read in slices, so that mail never waits for long. Held mail and reports are named, and
left: they are mail. So are open drains and waiting changes, which end by themselves, and records
that name the address, which an operator changes. The person's own sessions in the portal end;
passkeys leave with the record of the user.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import changed, checked_reason, entry, moment, with_changes
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.background.loop_slices import in_turns
from restante.mail.message import message_name
from restante.store.person_store import ERASABLE, LEFT, Fact, PersonalRow, PersonPlace
from restante.tenancy.audit import AuditAction
from restante.tenancy.person import Person, read_person
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from restante.tenancy.record_change import Change, changes_between
from restante.tenancy.session_record import SessionRecord

SLICE: Final = 250
"""Rows that one call of the store looks at, and changes at most. Its thread competes with the event
loop meanwhile: on a loaded machine, 1000 rows delayed mail by 61 ms, and 250 by 27 ms."""
PORTAL: Final = "portal"  # the place of a user's sessions, and of the names of passkeys
SUBJECT: Final = "a person"  # of the audit entry of an export: it does not keep the address
ELSEWHERE: Final = (
    "the server's log, the journal, and logs of proxies",
    "backups of the store, and exports of mail",
    "mail that was delivered, and notices that were sent",
    "answers to repeatable API requests, for a day, and recent events in memory",
    "addresses inside the content of other people's mail",
)
_TIMES: Final = {
    "at",
    "received_at",
    "made_at",
    "started_at",
    "ended_at",
    "requested_at",
    "applies_at",
}
_MAX_ADDRESS: Final = 600  # characters


class PersonOrder(BaseModel):
    """Whose data, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Annotated[str, Field(min_length=1, max_length=_MAX_ADDRESS)]
    reason: LineText = ""


class ErasureOrder(PersonOrder):
    """Whose data is erased, and why."""

    dry_run: bool = False  # count only


class PersonLine(BaseModel):
    """One line of an answer: progress, something found, or the end."""

    place: str = ""  # where it is
    looked_at: int | None = None  # rows of the place that were looked at so far
    found: int | None = None  # those that named the person, so far
    facts: dict[str, Any] | None = None  # of one row, in an export
    left: str | None = None  # the name of something that an erasure leaves
    mark: str | None = None  # in the last line of an erasure: it stands for the address
    elsewhere: tuple[str, ...] | None = None  # in the last line: places outside the store


async def export_person(context: AdminContext, order: PersonOrder) -> AsyncIterator[PersonLine]:
    """Yield what is kept about a person, row by row, and the audit entry of that first.

    Content is not among it: `restante queue export` needs a right of its own. Raises AdminError.
    """
    permit(context.principal, AdminAction.PERSON_EXPORT)
    reason = checked_reason(order.reason)
    person = _person(context, order.address)
    said = person.without(reason, SUBJECT)
    recorded = entry(context, AuditAction.PERSON_EXPORTED, SUBJECT, "", said)
    await context.store.audit.record([recorded])
    await changed(context, recorded)
    for place in PersonPlace:
        async for rows, line in _slices(context, place, person):
            for row in rows:
                yield PersonLine(place=place, facts=_facts(context, place, row))
            yield line
    for user in _own_users(context, person):
        sessions = await context.store.sessions.sessions_of(user.email)
        for facts in (*map(_session_facts, sessions), *map(_passkey_facts, user.passkeys)):
            yield PersonLine(place=PORTAL, facts=facts)
    async for thing in _records(context, person):
        yield PersonLine(place="records", facts={"name": thing})
    yield PersonLine(elsewhere=ELSEWHERE)


async def erase_person(context: AdminContext, order: ErasureOrder) -> AsyncIterator[PersonLine]:
    """Yield what is erased, by places; a dry run counts it.

    Interrupted and repeated, it goes on with the same mark. Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.PERSON_ERASE)
    reason = order.reason if order.dry_run else checked_reason(order.reason)
    person = _person(context, order.address)
    persons = context.store.persons
    mark = "" if order.dry_run else await persons.begin_erasure(person.address)
    found: Counter[str] = Counter()
    async for line in _name_left(context, person):
        yield line
    for user in _own_users(context, person):
        number = len(await context.store.sessions.sessions_of(user.email))
        found[PORTAL] += number
        if mark:
            await context.store.sessions.end_sessions_of(user.email)
        yield PersonLine(place=PORTAL, looked_at=number, found=number)
    for place in ERASABLE:
        async for line in _erase_place(context, place, person, mark):
            found[place] = line.found or 0
            yield line
    if mark:
        recorded = with_changes(
            entry(context, AuditAction.PERSON_ERASED, mark, "", person.without(reason, mark)),
            [Change(place, str(count), "0") for place, count in found.items() if count],
        )
        await persons.end_erasure(mark, recorded)
        await changed(context, recorded)
    yield PersonLine(mark=mark, elsewhere=ELSEWHERE)


async def _name_left(context: AdminContext, person: Person) -> AsyncIterator[PersonLine]:
    """Yield what an erasure leaves: held mail, reports, and records."""
    for place in LEFT:
        async for rows, line in _slices(context, place, person):
            for row in rows:
                yield PersonLine(place=place, left=_name(context, place, row))
            yield line
    async for thing in _records(context, person):
        yield PersonLine(place="records", left=thing)


async def _erase_place(
    context: AdminContext, place: PersonPlace, person: Person, mark: str
) -> AsyncIterator[PersonLine]:
    """Put a mark for a person in one place, and yield how far that is; "" changes nothing."""
    async for rows, line in _slices(context, place, person):
        if mark and rows:
            keys = [row.key for row in rows]
            await context.store.persons.erase_person(place, person, mark, keys)
        yield line
    if mark and place is PersonPlace.RECIPIENTS:
        await context.directory.refresh()
        await context.parts.recipients.catch_up()


async def _slices(
    context: AdminContext, place: PersonPlace, person: Person
) -> AsyncIterator[tuple[list[PersonalRow], PersonLine]]:
    """Yield the rows of each slice that name the person, and the counts so far."""
    after: int | None = 0
    looked_at = found = 0
    while after is not None:
        page = await context.store.persons.find_person(place, person, after, SLICE)
        looked_at, found, after = looked_at + page.looked_at, found + len(page.rows), page.after
        yield list(page.rows), PersonLine(place=place, looked_at=looked_at, found=found)


def _own_users(context: AdminContext, person: Person) -> list[PortalUser]:
    """Return the users of the portal that sign in by the person's address."""
    users = context.directory.now.portal_users.values()
    return [user for user in users if person.is_at(user.email)]


def _session_facts(session: SessionRecord) -> dict[str, Any]:
    return {
        "session": session.key,
        "address": session.address,
        "browser": session.agent,
        "factors": list(session.factors),
        "signed_in_at": moment(session.signed_in_at).isoformat(),
        "used_at": moment(session.used_at).isoformat(),
    }


def _passkey_facts(passkey: PortalPasskey) -> dict[str, Any]:
    used_at = passkey.used_at
    return {
        "passkey": passkey.key,
        "name": passkey.name,
        "created_at": moment(passkey.created_at).isoformat(),
        "used_at": None if used_at is None else moment(used_at).isoformat(),
    }


def _person(context: AdminContext, address: str) -> Person:
    """Return who has an address, with tags where its domain ignores them. Raises AdminError."""
    try:
        person = read_person(address)
    except ValueError as error:
        raise AdminError(
            ErrorKind.INVALID, f"address: {error}", "write an address such as anna@example.org"
        ) from None
    hosted = context.directory.now.domains.get(person.domain)
    return replace(person, has_tags=hosted is not None and hosted.policy.ignores_tags)


async def _records(context: AdminContext, person: Person) -> AsyncIterator[str]:
    """Yield the records that name the person, as kind, name and account."""
    async for thing, record in in_turns(_all_records(context)):
        texts = [one.after for one in changes_between(None, record)]
        if isinstance(record, PortalUser):
            texts += [passkey.name for passkey in record.passkeys]
        if person.is_named_in(thing, *texts):
            yield thing


def _all_records(context: AdminContext) -> Iterator[tuple[str, object]]:
    now = context.directory.now
    for account in now.accounts.values():
        yield f"account {account.name}", account
    for domain in now.domains.values():
        yield f"domain {domain.name}", domain
    for login in now.logins.values():
        yield f"login {login.user} of {login.account}", login
    for token in now.tokens.values():
        yield f"token {token.name} of {token.account or 'the operator'}", token
    for user in now.portal_users.values():
        yield f"portal user {user.email} of {user.account or 'the operator'}", user
    for channel in now.channels.values():
        yield f"notice channel {channel.name} of {channel.account or 'the operator'}", channel


def _name(context: AdminContext, place: PersonPlace, row: PersonalRow) -> str:
    if place is PersonPlace.OPEN_DRAINS:
        return _domain(context, row.key)
    return message_name(row.key) if place is PersonPlace.HELD else str(row.key)


def _facts(context: AdminContext, place: PersonPlace, row: PersonalRow) -> dict[str, Any]:
    """Return the facts of a row as people read them: times in ISO form, domains by their names."""
    facts: dict[str, Any] = {
        name: moment(value).isoformat() if name in _TIMES and isinstance(value, float) else value
        for name, value in row.facts.items()
    }
    if "domain_id" in facts:
        facts["domain"] = _domain(context, facts.pop("domain_id"))
    if place in (PersonPlace.HELD, PersonPlace.REPORTS):
        facts["name"] = _name(context, place, row)
    if place in (PersonPlace.DRAINS, PersonPlace.OPEN_DRAINS):
        facts["domain"] = _domain(context, row.key)
    if place is PersonPlace.HELD:
        facts["recipients"] = str(facts["recipients"]).split("\n")
    return facts


def _domain(context: AdminContext, domain_id: Fact) -> str:
    hosted = context.directory.now.domain_by_id(int(domain_id or 0))
    return hosted.name if hosted is not None else ""
