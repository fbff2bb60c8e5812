"""The known recipients of a domain: found, added and removed."""

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domains import show_domain
from restante.admin.listing_page import MOST_ROWS
from restante.admin.recipient_lists import (
    KnownRecipientView,
    RecipientChange,
    change_recipients,
    list_recipients,
)
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.page_wording import counted_thing
from restante.web.portal.people_words import error_for_people
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    all_made,
    checked,
    page_route,
    path_segment,
)

ROWS: Final = 100
ACTIONS: Final = ("add", "remove")
_CORRECTABLE: Final = (ErrorKind.INVALID, ErrorKind.NOT_FOUND, ErrorKind.USAGE)


async def recipients(visit: Visit) -> Response:
    """List the known recipients of a domain."""
    domain = (await show_domain(visit.context, visit.part("name"))).name
    return await _page(visit, domain)


async def change(visit: Visit) -> Response:
    """Add names to the list, or remove names from it. One that is wrong changes nothing."""
    form, domain = (
        await visit.form(),
        (await show_domain(visit.context, visit.part("name"))).name,
    )
    action = form.text("do")
    if action not in ACTIONS:
        raise AdminError(ErrorKind.INVALID, "do: is not valid", "add or remove names")
    names = form.as_sent("names").replace(",", " ").split()
    if not names:
        return await _page(visit, domain, form=form, error="No name is given. Write one at least.")
    wanted = checked(lambda: RecipientChange.model_validate({action: names}))
    try:
        done = await change_recipients(visit.because(form.text("reason")), domain, wanted)
    except AdminError as error:
        if error.kind not in _CORRECTABLE:
            raise
        return await _page(visit, domain, form=form, error=error_for_people(error))
    return told_at(f"/domains/{path_segment(domain)}/recipients", _result(done.added, done.dropped))


def _result(added: int, dropped: int) -> str:
    """Return the result of a change in words."""
    done = {"added": added, "removed": dropped}
    parts = [f"{counted_thing(number, 'name')} {word}" for word, number in done.items() if number]
    return f"{' and '.join(parts)}." if parts else "The list had that already."


async def _page(
    visit: Visit, domain: str, form: FormValues | None = None, error: str = ""
) -> Response:
    wanted = visit.query.text("find").casefold()
    rows: list[KnownRecipientView] = []
    after: str | None = ""
    while after is not None and len(rows) <= ROWS:
        page = await list_recipients(visit.context, domain, after, MOST_ROWS)
        rows += [one for one in await all_made(page.views) if wanted in one.name.casefold()]
        after = page.after
    return visit.page(
        "recipients.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        name=domain,
        rows=rows[:ROWS],
        is_cut=len(rows) > ROWS,
        wanted=wanted,
        typed=form or FormValues(""),
        error=error,
    )


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/recipients", recipients),
    page_route("/domains/{name}/recipients", change, ["POST"]),
]
