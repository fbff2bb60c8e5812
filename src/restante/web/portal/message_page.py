"""One message, held or gone: its way in steps, with the words of both servers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import AuditView
from restante.admin.domain_glances import show_glance
from restante.admin.held_mail import (
    FullMessageView,
    HeaderView,
    RecipientView,
    number_of,
    show_message,
)
from restante.admin.mail_search import HistoryView, TraceSelection, trace
from restante.admin.origin_facts import OriginFacts
from restante.admin.permissions import AdminAction, may
from restante.admin.releases import PastReleaseView, ReleaseSelection, list_releases
from restante.mail.encoded_words import decoded
from restante.mail.message_origin import PtrStatus
from restante.queue.drain_word import DrainWay
from restante.queue.recipient_status import RecipientStatus
from restante.transfer.queue_content import read_content
from restante.transfer.transfer_error import TransferError
from restante.web.portal.domain_sentence import THEN
from restante.web.portal.form_guard import AskedRoute, QuestionRoute
from restante.web.portal.own_path import keep_path, step_up_path
from restante.web.portal.page_wording import counted_thing, exact, number, short_octets
from restante.web.portal.portal_visit import Visit, asked_at, page_route, path_segment

MOST_HEADERS: Final = 100  # on a page
MOST_RELEASES: Final = 20  # of the domain since the mail arrived, the newest
DECODED_CHARACTERS: Final = 4000  # of fields with encoded words: hostile ones take 2 ms


@dataclass(frozen=True, slots=True)
class WayStep:
    """One step of a message's way. `words` are those of the other server."""

    at: datetime | None  # None: after the step before, at a time that is not recorded
    text: str
    words: str = ""
    status: str = ""


async def message(visit: Visit) -> Response:
    """Show a message that is held or has left."""
    return await _page_of(visit)


async def ask(visit: Visit) -> Response:
    """Show the message again, with the reason to read it that was typed before a step-up."""
    return await _page_of(visit, (await visit.asked()).text("reason"), is_again=True)


async def _page_of(visit: Visit, reason: str = "", *, is_again: bool = False) -> Response:
    name = _checked(visit.part("name"))
    found = await trace(visit.context, TraceSelection(name=name))
    held, left = list(found.held), list(found.left)
    full = await show_message(visit.context, name) if held else None
    if full is None and not left:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return visit.page(
        "message.html",
        name=name,
        full=full,
        headers=shown_headers(full.headers) if full is not None else [],
        first=full or left[0],
        steps=list(
            steps(full, left, [*found.releases, *await _attempts(visit, full)], found.audit)
        ),
        until=await _held_until(visit, full),
        reason=reason,
        is_again=is_again,
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(f"/messages/{path_segment(name)}"),
    )


async def download(visit: Visit) -> Response:
    """Send a message's content as a file: it is never shown as a page."""
    name = _checked(visit.part("name"))
    full = await show_message(visit.context, name)
    if not visit.session.is_fresh(visit.now):
        page = f"/messages/{path_segment(full.name)}"
        return asked_at(keep_path(f"{page}/ask?again=1", page))
    reason = (await visit.form()).text("reason")
    try:
        content = await read_content(visit.context, full.name, reason)
    except TransferError as error:
        raise AdminError(ErrorKind.CONFLICT, error.error, error.remedy) from None
    headers = {
        "Content-Length": str(content.size),
        "Content-Disposition": f'attachment; filename="{full.name}.eml"',
    }
    return StreamingResponse(content.blocks, media_type="message/rfc822", headers=headers)


async def _attempts(visit: Visit, full: FullMessageView | None) -> list[PastReleaseView]:
    """Return the releases of the domain since held mail arrived: in each it stayed here."""
    if full is None or not full.domain:
        return []
    if not may(visit.session.principal, AdminAction.RELEASE_LIST):
        return []
    wanted = ReleaseSelection(
        domain=full.domain, since=full.received_at.timestamp(), limit=MOST_RELEASES
    )
    views = (await list_releases(visit.context, wanted)).views
    if _is_waiting(full):
        return list(views)
    last = max((one.tried_at for one in full.recipients if one.tried_at), default=full.received_at)
    return [one for one in views if one.at <= last]  # a later one did not try it


def _is_waiting(full: FullMessageView) -> bool:
    """Return whether the next release would try the message."""
    return any(one.status == RecipientStatus.HELD for one in full.recipients)


async def _held_until(visit: Visit, full: FullMessageView | None) -> str:
    """Return when the time of held mail is over and what then happens, "" if that is not known."""
    if full is None:
        return ""
    if not _is_waiting(full):
        return "It stays here until somebody releases, bounces or deletes it."
    if not may(visit.session.principal, AdminAction.DOMAIN_SHOW):
        return ""
    glance = await show_glance(visit.context, full.domain)
    then = THEN.get(glance.at_end)
    if glance.keep_seconds is None or then is None:
        return "It is held without a time limit."
    ends = full.received_at + timedelta(seconds=glance.keep_seconds)
    return f"It is held until {exact(ends)}, then {then}."


def shown_headers(headers: Sequence[HeaderView]) -> list[HeaderView]:
    """Return the first fields, with their encoded words decoded while that takes little time."""
    shown, left = [], DECODED_CHARACTERS
    for one in headers[:MOST_HEADERS]:
        value = one.value
        if "=?" in value:
            left -= len(value)
            value = decoded(value) if left >= 0 else value
        shown.append(HeaderView(name=one.name, value=value))
    return shown


def steps(
    full: FullMessageView | None,
    left: Sequence[HistoryView],
    releases: Sequence[PastReleaseView],
    audit: Sequence[AuditView],
) -> Iterator[WayStep]:
    """Yield the steps in the order of time; those without a time last."""
    first = full or left[0]
    dated = [_received(full, first)]
    dated += [
        WayStep(one.at, f"{_request(one)}: {_result(one)}", one.text)
        for one in {one.id: one for one in releases}.values()
    ]
    dated += [WayStep(one.at, _recipient(one), one.reply, one.outcome) for one in left]
    dated += [
        WayStep(one.at, f"{one.action} by {one.actor}{f': {one.reason}' if one.reason else ''}")
        for one in audit
    ]
    yield from sorted(dated, key=lambda step: step.at.timestamp() if step.at else 0.0)
    if full is not None:
        told = {(one.forward_path, one.outcome) for one in left}
        for one in full.recipients:
            if (one.forward_path, one.status) in told:
                continue
            yield WayStep(None, f"{one.forward_path}:{_tries(one)}", one.reply, one.status)
        if full.policy_deferrals:
            drains = counted_thing(full.policy_deferrals, "drain")
            yield WayStep(None, f"Deferred by a policy of the destination in {drains}")


def _request(release: PastReleaseView) -> str:
    """Return who asked for what; for a turnaround, also the address that the mail went to."""
    if release.way is not DrainWay.TURNAROUND:
        return f"{release.requested_by} asked for {release.target}"
    return f"{release.requested_by} asked by ATRN for {release.target}, from {release.acted_from}"


def _recipient(entry: HistoryView) -> str:
    over = " (over the client's own connection)" if entry.way is DrainWay.TURNAROUND else ""
    return f"{entry.forward_path}{over}:"


def _result(release: PastReleaseView) -> str:
    """Return the result of a release for its domains. Counts are of messages."""
    if not release.drains:
        return "nothing moved"
    counts = (
        (release.delivered, "delivered"),
        (release.refused, "refused"),
        (release.uncertain, "uncertain"),
        (release.left, "left"),
    )
    texts = [f"{number(count)} {word}" for count, word in counts if count] or ["nothing moved"]
    state = "it still runs" if release.state == "running" else ""
    return ", ".join([*texts, *([state] if state else [])])


def _tries(one: RecipientView) -> str:
    """Return how often a recipient was tried, as far as it is recorded; "" if it never was."""
    if not one.attempts:
        return ""
    last = f", the last {exact(one.tried_at)}" if one.tried_at is not None else ""
    times = counted_thing(one.attempts, "attempt")
    return f" {times} without delivery{last}. The reply to the last one:"


def _received(full: FullMessageView | None, first: FullMessageView | HistoryView) -> WayStep:
    size = short_octets(first.size if isinstance(first, FullMessageView) else first.octets)
    origin = first.origin
    client = origin.address if origin else getattr(first, "client", "")
    source = f" from {client}" if client else ""
    if origin is not None:
        source += f" ({_host_name(origin)})" if origin.ptr is not PtrStatus.NOT_LOOKED_UP else ""
        source += f", which said EHLO {origin.hello}" if origin.hello else ""
        source += f", with {origin.tls}" if origin.tls else ", without TLS"
    is_suspect = full is not None and full.is_suspect
    place = ". Marked as suspect, so it leaves last" if is_suspect else ""
    verdicts = origin.verdicts if origin is not None else {}
    signs = "; ".join(f"{check}: {verdict}" for check, verdict in verdicts.items())
    text = f"Received{source}; {size}, stored before the reply 250{place}"
    return WayStep(first.received_at, text, signs)


def _host_name(origin: OriginFacts) -> str:
    """Return the result of looking up the name of a client, in words."""
    match origin.ptr:
        case PtrStatus.CONFIRMED:
            return f"{origin.host_name}, confirmed"
        case PtrStatus.UNCONFIRMED:
            return f"named {origin.host_name}, but the name leads elsewhere"
        case PtrStatus.NONE:
            return "without a name in DNS"
    return "its name could not be looked up"


def _checked(name: str) -> str:
    """Return the name of a message. A text that is none is as unknown as any other."""
    try:
        number_of(name)
    except AdminError:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None
    return name


ROUTES: Final[list[Route]] = [
    page_route("/messages/{name}", message),
    QuestionRoute("/messages/{name}/ask", ask),
    AskedRoute("/messages/{name}/raw", download, "ask"),
]
