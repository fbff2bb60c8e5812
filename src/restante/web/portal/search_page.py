"""Search over held mail and the history, to learn whether mail was delivered."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.listing_page import number_at
from restante.admin.mail_search import FoundMail, SearchedOutcome, TraceSelection, trace
from restante.web.portal.portal_visit import FormValues, Visit, all_made, page_route
from restante.web.portal.shell_lines import traced

ROWS: Final = 100
FIELDS: Final = ("message_id", "reverse_path", "recipient", "domain", "outcome", "since", "until")
_DAY: Final = timedelta(days=1)


async def search(visit: Visit) -> Response:
    """Search mail; without a question, show the form alone."""
    query = visit.query
    asked = {name: query.text(name) for name in FIELDS}
    facts: dict[str, Any] = {"asked": asked, "outcomes": get_args(SearchedOutcome)}
    if not any(asked.values()) and query.given("before") is None and query.given("after") is None:
        return visit.page("search.html", found=None, held=[], left=[], **facts)
    selection = selection_of_search(query)
    found = await trace(visit.context, selection)
    held, left = await all_made(found.held), await all_made(found.left)
    return visit.page(
        "search.html",
        found=found,
        held=held,
        left=left,
        more_held=_more(asked, "after", found.held_after),
        more_left=_more(asked, "before", found.left_before),
        is_short=_is_short(found, held, left),
        commands=traced(asked, selection, visit.renderer.base_url),
        **facts,
    )


def selection_of_search(query: FormValues) -> TraceSelection:
    """Return the mail that a query asks for. Raises AdminError for values that mean nothing."""
    reverse_path = query.given("reverse_path")
    until = _day(query, "until")
    before = query.given("before")
    try:
        return TraceSelection(
            message_id=query.given("message_id"),
            reverse_path="" if reverse_path == "<>" else reverse_path,
            recipient=query.given("recipient"),
            domain=query.given("domain"),
            outcome=query.given("outcome"),  # type: ignore[arg-type]  # it is checked here
            since=None if (since := _day(query, "since")) is None else since.timestamp(),
            until=None if until is None else (until + _DAY).timestamp(),
            before=number_at(before) if before is not None else None,
            after=query.given("after"),
            limit=ROWS,
        )
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise AdminError(
            ErrorKind.INVALID, f"{name}: is not valid", "go back and correct it"
        ) from None


def _day(query: FormValues, name: str) -> datetime | None:
    text = query.given(name)
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        remedy = "write a day such as 2026-11-28"
        raise AdminError(ErrorKind.INVALID, f"{name}: is not a day", remedy) from None


def _more(asked: dict[str, str], cursor: str, place: object) -> str:
    """Return the address of the next page, "" if there is none."""
    if place is None:
        return ""
    given = {name: value for name, value in asked.items() if value}
    return "/search?" + urlencode(given | {cursor: place})


def _is_short(found: FoundMail, held: Sequence[object], left: Sequence[object]) -> bool:
    """Tell whether a search was ended before it had found a page."""
    return (found.held_after is not None and len(held) < ROWS) or (
        found.left_before is not None and len(left) < ROWS
    )


ROUTES: Final[list[Route]] = [page_route("/search", search)]
