"""Held and refused mail: filters, a selection that a refresh keeps, and actions with a question.

A GET shows, and `confirm` only asks. Messages change in `carry_out` alone. "All that match" ends at
the last message that the question was about: mail that arrives meanwhile is left alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.bounce import bounce_messages
from restante.admin.held_mail import (
    MAX_NAMES,
    MAX_PATTERN_LENGTH,
    MessageView,
    NamedMessages,
    QueueSelection,
    delete_messages,
    list_queue,
    name_messages,
    number_of,
)
from restante.admin.hold_again import MessagesToHoldAgain, hold_again
from restante.admin.listing_page import ListingPage
from restante.admin.permissions import AdminAction, permit
from restante.admin.queue_release import release_messages
from restante.mail.message import NUMBERS_A_SECOND
from restante.mail.message_id import MESSAGE_ID_LIMIT
from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.model import parse_network
from restante.web.portal.form_guard import AskedRoute, QuestionRoute
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.own_path import keep_path, own_path, step_up_path
from restante.web.portal.page_wording import counted_thing, short_octets, span_in_words
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    all_made,
    asked_at,
    page_route,
    see_other,
)
from restante.web.portal.shell_lines import acted, of_queue

ROWS: Final = 100
MOST_AT_ONCE: Final = 10_000  # messages of one action
STEP_UP_FROM: Final = (
    100  # messages in five minutes; to delete or bounce more needs a recent factor
)
FILTERS: Final = (
    "domain",
    "reverse_path",
    "recipient",
    "message_id",
    "from_address",
    "status",
    "hours",
    "kilobytes",
)
ACTIONS: Final[Mapping[str, tuple[str, str, str]]] = {
    "release": ("Release again", "was held again", "were held again"),
    "hand-over": ("Hand over", "is handed over", "are handed over"),
    "bounce": ("Bounce", "was bounced", "were bounced"),
    "delete": ("Delete", "was deleted", "were deleted"),
}
_RIGHTS: Final = {
    "release": AdminAction.QUEUE_RELEASE,
    "hand-over": AdminAction.RELEASE,
    "bounce": AdminAction.QUEUE_BOUNCE,
    "delete": AdminAction.QUEUE_DELETE,
}
LONGEST_REPLY: Final = 500  # characters of a group's reply in its question
_CRITICAL: Final = frozenset({"bounce", "delete"})


@dataclass(frozen=True, slots=True)
class ChosenMessages:
    """The messages of an action: some that were ticked, or all that a filter matches."""

    names: list[str]
    selection: QueueSelection
    is_by_filter: bool = False  # all that the selection matches, not those that were ticked
    octets: int = 0
    shared: int = 0  # messages that also have recipients that do not match
    domains: list[str] = field(default_factory=list)  # of these messages, if known


async def queue(visit: Visit) -> Response:
    """List messages."""
    query = visit.query
    selection = selection_of(query, limit=ROWS)
    page = await list_queue(visit.context, selection)
    rows = await all_made(page.views)
    return visit.page(
        "queue.html",
        rows=rows,
        filters=filters_of(query),
        commands=of_queue(selection, visit.renderer.base_url),
        statuses=[one.value for one in RecipientStatus if one is not RecipientStatus.GONE],
        ticked=set(query.all_of("name")),
        more=_more(query, page),
        total=None if page.after is not None or selection.after else len(rows),
        searched_until=_searched_until(page),
    )


async def refresh(visit: Visit) -> Response:
    """Load the list again with the same ticks. The token of the form is in no URL."""
    form = await visit.asked()
    given = [(name, value) for name, value in filters_of(form).items() if value]
    given += [("name", name) for name in form.all_of("name")[:ROWS]]
    return see_other("/queue?" + urlencode(given))


async def confirm(visit: Visit) -> Response:
    """Ask before an action: how many, by which filter, and why."""
    form = await visit.asked()
    if visit.request.method == "GET" and not form.text("action"):
        return see_other("/queue")  # an address without its form
    action = _action_of(form)
    permit(visit.session.principal, _RIGHTS[action])
    chosen = await chosen_by(visit, form)
    if not chosen.names:
        error = "no message is selected, or none of them is here any more"
        raise AdminError(ErrorKind.USAGE, error, "go back and select messages")
    if _needs_factor(visit, action, len(chosen.names)):
        return _stepped_up(visit, form, is_again="again" in visit.request.query_params)
    reason = form.text("reason") if visit.request.method == "POST" else ""
    base_url = visit.renderer.base_url
    return visit.page(
        "confirm.html",
        action=action,
        word=ACTIONS[action][0],
        chosen=chosen,
        count=len(chosen.names),
        described=_words_of(form, chosen),
        group_reply=form.text("group_reply")[:LONGEST_REPLY],
        is_again="again" in visit.request.query_params,
        filters=filters_of(form),
        last=chosen.names[-1],
        reason=reason,
        is_cut=len(chosen.names) >= MOST_AT_ONCE,
        commands=acted(
            action,
            chosen.names,
            chosen.selection,
            reason,
            base_url,
            is_by_filter=chosen.is_by_filter,
            domains=chosen.domains if visit.session.principal.account else (),
        ),
    )


async def carry_out(visit: Visit) -> Response:
    """Act on the messages of the question."""
    form = await visit.form()
    action, reason = _action_of(form), form.text("reason")
    chosen = await chosen_by(visit, form)
    if _needs_factor(visit, action, len(chosen.names)):
        return _stepped_up(visit, form, is_again=True)
    _count_removals(visit, action, len(chosen.names))
    done = 0
    for place in range(0, len(chosen.names), MAX_NAMES):
        names = tuple(chosen.names[place : place + MAX_NAMES])
        done += await _act(visit, action, names, reason, chosen.selection.status)
    return told_at(_back(form), _result(action, done, len(chosen.names)))


def _result(action: str, done: int, chosen: int) -> str:
    """Return the result of an action in words."""
    _, one, several = ACTIONS[action]
    told = counted_thing(done, f"message {one}", f"messages {several}")
    left = chosen - done
    return f"{told}; {left} needed no change, or left in the meantime." if left > 0 else f"{told}."


async def chosen_by(visit: Visit, form: FormValues) -> ChosenMessages:
    """Return the messages that a form is about, as they are now."""
    if form.text("scope") != "all":
        names = list(dict.fromkeys(form.all_of("name") + form.text("names").split()))
        for name in names:
            number_of(name)
        return ChosenMessages(names[:MOST_AT_ONCE], selection_of(form, limit=MOST_AT_ONCE))
    selection = selection_of(form, limit=MOST_AT_ONCE)
    found = await name_messages(visit.context, selection)
    names, last = found.names, form.given("last")
    if last is not None:
        names = [name for name in names if number_of(name) <= number_of(last)]
    return ChosenMessages(
        names,
        selection,
        is_by_filter=True,
        octets=found.octets,
        shared=found.shared,
        domains=found.domains,
    )


def selection_of(form: FormValues, limit: int) -> QueueSelection:
    """Return the filter of a form or a query. Raises AdminError for values that mean nothing."""
    status = form.given("status")
    if status is not None and status not in list(RecipientStatus):
        raise _odd("status", "choose one from the list")
    hours, kilobytes = _amount(form, "hours"), _amount(form, "kilobytes")
    reverse_path = form.given("reverse_path")
    after = form.given("after")
    if len(form.text("recipient")) > MAX_PATTERN_LENGTH:
        raise _odd("recipient", "write a shorter pattern")
    if len(form.text("message_id")) > MESSAGE_ID_LIMIT:
        raise _odd("message_id", "copy the Message-ID alone")
    return QueueSelection(
        domain=form.given("domain"),
        reverse_path="" if reverse_path == "<>" else reverse_path,
        recipient=form.given("recipient"),
        message_id=form.given("message_id"),
        from_address=_address_range(form),
        status=None if status is None else RecipientStatus(status),
        older=None if hours is None else hours * 3600,
        larger=None if kilobytes is None else int(kilobytes * 1000),
        after=after,
        limit=limit,
    )


def filters_of(form: FormValues) -> dict[str, str]:
    """Return the fields of the filter as they were written."""
    return {name: form.text(name) for name in FILTERS}


def described(selection: QueueSelection) -> str:
    """Return a filter in words."""
    facts = [
        ("of {}", selection.domain),
        ("from {}", "<>" if selection.reverse_path == "" else selection.reverse_path),
        ("to {}", selection.recipient),
        ("with the Message-ID {}", selection.message_id),
        ("brought by {}", selection.from_address),
        ("with the status {}", selection.status),
        ("older than {}", None if selection.older is None else span_in_words(selection.older)),
        ("larger than {}", None if selection.larger is None else short_octets(selection.larger)),
    ]
    found = [text.format(value) for text, value in facts if value is not None]
    return "all mail " + ", ".join(found) if found else "all mail"


async def _act(
    visit: Visit,
    action: str,
    names: tuple[str, ...],
    reason: str,
    status: RecipientStatus | None,
) -> int:
    """Act on messages; a release is only of the recipients with the status that was asked for."""
    match action:
        case "release" if status in (RecipientStatus.HELD, RecipientStatus.GONE):
            return 0
        case "release":
            again = MessagesToHoldAgain(
                names=names,
                reason=reason,
                status=status,  # type: ignore[arg-type]  # "held" and "gone" never come here
            )
            return (await hold_again(visit.context, again)).changed
        case "hand-over":
            wanted = MessagesToHoldAgain(names=names, reason=reason)
            answers = (await release_messages(visit.context, wanted)).handed_over
            return sum(one.pending for one in answers if one.result.is_done)
        case "bounce":
            named = NamedMessages(names=names, reason=reason)
            return (await bounce_messages(visit.context, named)).changed
        case _:
            named = NamedMessages(names=names, reason=reason)
            return (await delete_messages(visit.context, named)).changed


def _action_of(form: FormValues) -> str:
    action = form.text("action")
    if action not in ACTIONS:
        raise _odd("action", "go back, and choose one")
    return action


def _needs_factor(visit: Visit, action: str, count: int) -> bool:
    """Return whether an action needs a factor first: removals of five minutes add up."""
    if action not in _CRITICAL or visit.session.is_fresh(visit.now):
        return False
    memory = visit.context.memory
    return memory.removals.count(visit.session.user, memory.monotonic()) + count > STEP_UP_FROM


def _count_removals(visit: Visit, action: str, count: int) -> None:
    """Count messages that are removed without a recent factor."""
    if action in _CRITICAL and not visit.session.is_fresh(visit.now):
        memory = visit.context.memory
        memory.removals.add(visit.session.user, count, memory.monotonic())


def _stepped_up(visit: Visit, form: FormValues, *, is_again: bool) -> Response:
    """Return the answer that asks for a factor first, and then comes back to the question.

    The form comes back with it. A cancellation leads to the address, and so does a form that is too
    large to be kept. The address has the selection if that is short enough.
    """
    fields = form.without("csrf", "reason", "again", "group_reply", "group_domains")
    address = f"/queue/confirm?{fields}"
    following = address if own_path(address) == address else _back(form)
    if visit.request.method == "GET":
        return see_other(step_up_path(following))
    return asked_at(keep_path(f"/queue/confirm{'?again=1' if is_again else ''}", following))


def _words_of(form: FormValues, chosen: ChosenMessages) -> str:
    """Return how the messages were chosen."""
    if chosen.is_by_filter:
        return described(chosen.selection)
    if not form.text("group_reply"):
        return "those that you ticked"
    domains = form.text("domain") or form.text("group_domains")[:LONGEST_REPLY]
    return f"refused mail{f' of {domains}' if domains else ''} with the same reply"


def _amount(form: FormValues, name: str) -> float | None:
    text = form.given(name)
    if text is None:
        return None
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= 1e9:  # noqa: PLR2004  more than any message, or any age
        raise _odd(name, "write a number")
    return amount


def _address_range(form: FormValues) -> str | None:
    text = form.given("from_address")
    if text is None:
        return None
    try:
        return str(parse_network(text))
    except ValueError as error:
        raise AdminError(
            ErrorKind.INVALID, f"from_address: {error}", "write an address or a network"
        ) from None


def _odd(name: str, remedy: str) -> AdminError:
    return AdminError(ErrorKind.INVALID, f"{name}: is not valid", remedy)


def _more(query: FormValues, page: ListingPage[MessageView]) -> str:
    """Return the address of the next page, "" if there is none."""
    if page.after is None:
        return ""
    return "/queue?" + urlencode({**filters_of(query), "after": page.after})


def _searched_until(page: ListingPage[MessageView]) -> datetime | None:
    """Return how far a search came that was ended early; None: it found enough, or all."""
    if page.after is None or not page.is_short:
        return None
    return moment(number_of(page.after) / NUMBERS_A_SECOND)


def _back(form: FormValues) -> str:
    given = {name: value for name, value in filters_of(form).items() if value}
    return "/queue?" + urlencode(given)


ROUTES: Final[list[Route]] = [
    page_route("/queue", queue),
    QuestionRoute("/queue/refresh", refresh),
    QuestionRoute("/queue/confirm", confirm, ["GET", "POST"]),
    AskedRoute("/queue/carry-out", carry_out, "confirm"),
]
