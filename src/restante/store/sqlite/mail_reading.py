"""Questions to the tables, and how their answers are read.

Each function runs on a reading thread.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from typing import Final, NamedTuple

import apsw

from restante.mail.message import NUMBERS_A_SECOND, HeldMessage
from restante.queue.recipient_status import RecipientStatus
from restante.queue.sending_outcome import Backlog
from restante.store.figure_store import SetApart, with_deferred
from restante.store.handover_store import PastDrain
from restante.store.queue_store import QueuedMessage, QueueFilter, QueuePage
from restante.store.sqlite import (
    drain_queries,
    engine,
    listing_queries,
    mail_queries,
    notice_queries,
    record_queries,
    report_queries,
)
from restante.store.sqlite.bounded_search import AskConnection, search_within_reach
from restante.store.sqlite.engine import fetch
from restante.store.stored_form.notice_rows import notice
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import (
    DOMAIN_ID,
    NUMBER,
    PARKED_AS,
    DamagedRow,
    first_deferral,
    held_message,
    numbers_text,
    queued_message,
    read_past_drain,
)
from restante.tenancy.notice import Notice
from restante.tenancy.policy import DAY
from restante.tenancy.recipients import Recipient, RecipientSource

_NEWEST: Final = 2**63 - 1  # no message has a higher number


class UnreadableMessage(NamedTuple):
    """A message that cannot be handed out."""

    number: int
    text: str
    domain_id: int


class PageBounds(NamedTuple):
    """Messages for a drain, and those passed over on the way to them."""

    messages: list[HeldMessage]
    damaged: list[UnreadableMessage]


def held(
    connection: apsw.Connection,
    domain_id: int,
    after: int,
    limit: int,
    max_octets: int,
    *,
    with_origins: bool = False,
    mark: int = 0,
) -> PageBounds:
    """Read a drain's next messages, past damaged ones."""
    window = PageBounds([], [])
    octets = 0
    with closing(connection.cursor()) as cursor:
        question = (
            mail_queries.HELD_MESSAGES_WITH_ORIGINS if with_origins else mail_queries.HELD_MESSAGES
        )
        for row in cursor.execute(question, (domain_id, after, first_deferral(mark))):
            octets += _take(row, window, mark)
            if len(window.messages) == limit or (window.messages and octets >= max_octets):
                break
    return window


def _take(row: Row, window: PageBounds, mark: int = 0) -> int:
    """Put a row's message in the window; return the octets that it takes there."""
    try:
        message = held_message(row, mark=mark)
    except DamagedRow as damage:
        window.damaged.append(UnreadableMessage(row[NUMBER], str(damage), row[DOMAIN_ID]))
        return 0
    window.messages.append(message)
    return len(message.head)


def message(connection: apsw.Connection, number: int) -> HeldMessage | UnreadableMessage | None:
    """Read one message with all its recipients."""
    with connection:  # one moment for both statements
        rows = fetch(connection, mail_queries.ONE_MESSAGE, (number,))
        if not rows:
            return None
        refused = fetch(connection, mail_queries.REFUSED_PATHS, (rows[0][1], number))
    try:
        return held_message(rows[0], [path for (path,) in refused])
    except DamagedRow as damage:
        return UnreadableMessage(number, str(damage), rows[0][DOMAIN_ID])


def damage_of_file(connection: apsw.Connection, name: str, text: str) -> list[UnreadableMessage]:
    """Say whose content a damaged file is; it may be nobody's any more."""
    rows = fetch(connection, mail_queries.NUMBER_OF_FILE, (name,))
    return [UnreadableMessage(number, text, domain_id) for number, domain_id in rows]


def set_apart(
    connection: apsw.Connection, domain_ids: Sequence[int] | None = None
) -> Mapping[int, SetApart]:
    """Count the messages of each domain that are uncertain, damaged or deferred by a policy."""
    with connection:  # one moment for both statements
        found = _of_domains(
            connection, mail_queries.COUNT_SET_APART, mail_queries.COUNT_SET_APART_OF, domain_ids
        )
        deferred_by_policy = _of_domains(
            connection, mail_queries.COUNT_DEFERRED, mail_queries.COUNT_DEFERRED_OF, domain_ids
        )
    return with_deferred(
        {domain_id: SetApart(*counts) for domain_id, *counts in found}, deferred_by_policy
    )


def oldest(
    connection: apsw.Connection, domain_ids: Sequence[int] | None = None
) -> Mapping[int, float]:
    """Read when each domain's oldest held message was received."""
    return dict(
        _of_domains(
            connection, mail_queries.OLDEST_MESSAGES, mail_queries.OLDEST_MESSAGES_OF, domain_ids
        )
    )


def _of_domains(
    connection: apsw.Connection, of_all: str, of_some: str, domain_ids: Sequence[int] | None
) -> Sequence[Row]:
    """Ask about all domains, or about some."""
    if domain_ids is None:
        return fetch(connection, of_all)
    return fetch(connection, of_some, (json.dumps(list(domain_ids)),))


# --- due work


def expired(
    connection: apsw.Connection,
    domain_id: int,
    status: RecipientStatus,
    before: float,
    limit: int,
    *,
    after: int = 0,
) -> list[int]:
    """Read the numbers of messages with a recipient in this status since before then, in order."""
    if status is RecipientStatus.REFUSED:
        return [
            number
            for (number,) in fetch(
                connection, mail_queries.REFUSED_BEFORE, (domain_id, after, before, limit)
            )
        ]
    found: list[int] = []
    with closing(connection.cursor()) as cursor:
        given = (domain_id, after)
        for number, received_at, since in cursor.execute(mail_queries.HELD_SINCE, given):
            if received_at >= before or len(found) == limit:
                break
            if since < before:
                found.append(number)
    return found


def waiting_since(
    connection: apsw.Connection, domain_id: int, status: RecipientStatus
) -> float | None:
    """Read since when the first recipient with this status has it."""
    if status is RecipientStatus.REFUSED:
        [(at,)] = fetch(connection, mail_queries.FIRST_REFUSED, (domain_id,))
        return None if at is None else float(at)
    with closing(connection.cursor()) as cursor:
        row = next(cursor.execute(mail_queries.HELD_SINCE, (domain_id, 0)), None)
    return None if row is None else float(row[2])


def marks(
    connection: apsw.Connection, kind: str, domain_ids: Sequence[int] | None
) -> Mapping[int, float]:
    """Read the marks of a kind, by domain id."""
    if domain_ids is None:
        return dict(fetch(connection, mail_queries.MARKS, (kind,)))
    return dict(fetch(connection, mail_queries.MARKS_OF, (kind, numbers_text(domain_ids))))


def recipients(
    connection: apsw.Connection, domain_id: int, after: Recipient | None, limit: int
) -> list[Recipient]:
    """Read some of a domain's recipients."""
    source, name = after.key if after is not None else ("", "")
    rows = fetch(connection, record_queries.RECIPIENTS, (domain_id, source, name, limit))
    return [
        Recipient(name, RecipientSource(source), bool(is_there), at)
        for name, source, is_there, at in rows
    ]


# --- listings


def queue(connection: apsw.Connection, selection: QueueFilter) -> list[QueuedMessage]:
    """Read the messages that match."""
    limit = (
        engine.time_limit(connection, engine.SEARCH_SECONDS)
        if _is_search(selection)
        else nullcontext()
    )
    ask = _asking(connection, selection)
    with limit:
        rows = ask(min(_first_number(selection), _NEWEST), _NEWEST, selection.limit)
    return [queued_message(row, selection) for row in rows]


def queue_page(connection: apsw.Connection, selection: QueueFilter) -> QueuePage:
    """Read the first messages that match, as far as a bounded search comes."""
    bounds = _bounds(connection, selection)
    if bounds is None:
        return QueuePage([], None)
    limit = selection.limit
    rows, last = search_within_reach(connection, bounds, limit + 1, _asking(connection, selection))
    page = [queued_message(row, selection) for row in rows[:limit]]
    return QueuePage(page, page[-1].number if len(rows) > limit else last)


def _bounds(connection: apsw.Connection, selection: QueueFilter) -> tuple[int, int] | None:
    """Return the numbers between which the messages are, both included; None: there are none."""
    [(first, last)] = fetch(connection, listing_queries.BOUNDS)
    if first is None or selection.domain_ids == ():
        return None
    return max(first, _first_number(selection)), last


def _first_number(selection: QueueFilter) -> int:
    return max(selection.after, _last_before(selection.received_since)) + 1


def _asking(connection: apsw.Connection, selection: QueueFilter) -> AskConnection:
    """Return the question about the messages between two numbers."""
    listings = list(_listings(selection))

    def ask(first: int, last: int, limit: int) -> list[Row]:
        rows: dict[int, Row] = {}  # by number: one message can be held and refused
        place = {"first": first, "last": last, "limit": limit}
        with connection:
            for query, bindings in listings:
                found = fetch(connection, query, bindings | place)
                rows.update((row[NUMBER], row) for row in found)
        return [rows[number] for number in sorted(rows)][:limit]

    return ask


def _is_search(selection: QueueFilter) -> bool:
    """Tell whether it may read very much to find little; a domain narrows one for a recipient."""
    of_one_domain = selection.domain_ids is not None and len(selection.domain_ids) == 1
    return (
        selection.sender is not None
        or selection.message_id is not None
        or selection.client is not None
        or (selection.recipient is not None and not of_one_domain and selection.numbers is None)
    )


_Listing = tuple[str, dict[str, object]]


def _listings(selection: QueueFilter) -> Iterator[_Listing]:
    """Yield the queries whose answers, together and cut to the limit, are the answer."""
    bindings: dict[str, object] = {
        "reverse_path": selection.reverse_path,
        "received_before": selection.received_before,
        "received_since": selection.received_since,
        "sender": selection.sender,
        "message_id": selection.message_id,
        "recipient": selection.recipient,
        "larger_than": selection.larger_than,
        "client": None if selection.client is None else str(selection.client),
        "status": selection.status,
        "parked": PARKED_AS.get(selection.status),
    }
    domain_ids = None if selection.domain_ids is None else json.dumps(selection.domain_ids)
    if selection.numbers is not None:
        numbers = json.dumps(selection.numbers)
        yield (
            listing_queries.LIST_NUMBERS,
            bindings | {"numbers": numbers, "domain_ids": domain_ids},
        )
    elif selection.message_id is not None:
        yield listing_queries.LIST_SOUGHT, bindings | {"domain_ids": domain_ids}
    elif selection.domain_ids is None:
        yield (
            listing_queries.LIST_ALL_REFUSED
            if selection.status in PARKED_AS
            else listing_queries.LIST_ALL,
            bindings,
        )
    elif len(selection.domain_ids) == 1:
        of_domain = bindings | {"domain_id": selection.domain_ids[0]}
        by_status = (listing_queries.LIST_HELD, listing_queries.LIST_REFUSED)
        yield from _listings_by_status(by_status, selection.status, of_domain)
    else:
        of_domains = bindings | {"domain_ids": domain_ids}
        by_status = (listing_queries.LIST_HELD_OF_DOMAINS, listing_queries.LIST_REFUSED_OF_DOMAINS)
        yield from _listings_by_status(by_status, selection.status, of_domains)


def _last_before(since: float | None) -> int:
    """Return a number below those of all mail received since then (`MessageNumbers`).

    A day is left for a clock that was set between the two.
    """
    return 0 if since is None else max(0, int((since - DAY) * NUMBERS_A_SECOND))


def _listings_by_status(
    by_status: tuple[str, str], status: RecipientStatus | None, bindings: dict[str, object]
) -> Iterator[_Listing]:
    held, refused = by_status
    if status not in PARKED_AS:
        yield held, bindings
    if status is not RecipientStatus.HELD:
        yield refused, bindings


# --- reports


def backlog(connection: apsw.Connection, query: str) -> Backlog:
    """Read how many reports wait, or notices, and since when."""
    return Backlog(*fetch(connection, query)[0])


def late_messages(
    connection: apsw.Connection, received_before: float, limit: int
) -> list[HeldMessage]:
    """Read messages whose senders are still owed a report of delay."""
    window = PageBounds([], [])
    with closing(connection.cursor()) as cursor:
        for row in cursor.execute(report_queries.LATE_MESSAGES, (received_before,)):
            _take(row, window)
            if len(window.messages) == limit:
                break
    return window.messages


# --- drains, the trail


def past_drains(
    connection: apsw.Connection, domain_ids: Sequence[int] | None = None
) -> dict[int, PastDrain]:
    """Read how the last drain of each domain went."""
    found = _of_domains(
        connection, drain_queries.PAST_DRAINS, drain_queries.PAST_DRAINS_OF, domain_ids
    )
    return {domain_id: read_past_drain(row) for domain_id, *row in found}


def notices(
    connection: apsw.Connection, limit: int, channel_ids: Sequence[int] | None, after: int
) -> list[Notice]:
    """Read notices that wait, oldest first."""
    bindings: dict[str, object] = {"after": after, "limit": limit}
    if channel_ids is None:
        return [notice(row) for row in fetch(connection, notice_queries.LIST_NOTICES, bindings)]
    bindings["channel_ids"] = json.dumps(list(channel_ids))
    return [
        notice(row) for row in fetch(connection, notice_queries.LIST_NOTICES_OF_CHANNELS, bindings)
    ]
