"""Where a domain's mail goes, and which hosts may ask for it: shown, changed, and cancelled.

A change needs a recent factor. An account's change waits (`admin/change_scheduling`). To cancel one
needs no factor: it keeps things as they are.
"""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain, show_domain
from restante.admin.waiting_changes import apply_change, cancel_change, list_changes
from restante.tenancy.model import ClientPassing, TlsUse
from restante.web.portal.own_path import step_up_path
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    checked,
    page_route,
    path_segment,
    see_other,
)
from restante.web.portal.repeat_page import factor_first
from restante.web.portal.shell_lines import redirected

_DIGITS: Final = 18  # of the number of a change


async def direction(visit: Visit) -> Response:
    """Show the forms, or the way to show a factor first."""
    record = await show_domain(visit.context, visit.part("name"))
    return visit.page(
        "direction.html",
        record=record,
        waiting=list(await list_changes(visit.context, domain=record.name)),
        delay=visit.context.settings.change_delay(),
        is_fresh=visit.session.is_fresh(visit.now),
        step_up=step_up_path(_own_path(record.name)),
        tls=[one.value for one in TlsUse],
        passings=[one.value for one in ClientPassing],
        commands=redirected(record.name, record.destination, record.allow, visit.renderer.base_url),
    )


async def set_destination(visit: Visit) -> Response:
    """Change the destination and how it is reached, or ask for that."""
    form = await visit.form()
    tls = form.given("tls")
    if tls is not None and tls not in list(TlsUse):
        raise AdminError(
            ErrorKind.INVALID, f"tls {tls}: does not exist", "choose one from the list"
        )
    chosen = None if tls is None else TlsUse(tls)
    passing = form.given("client_address")
    if passing is not None and passing not in list(ClientPassing):
        raise AdminError(
            ErrorKind.INVALID, f"client address {passing}: does not exist", "choose one of the list"
        )
    wanted = checked(
        lambda: DomainChange(
            destination=form.given("destination"),
            tls=chosen,
            client_address=None if passing is None else ClientPassing(passing),
        )
    )
    return await _changed(visit, form, wanted)


async def set_hosts(visit: Visit) -> Response:
    """Replace the authorized hosts, or ask for that."""
    form = await visit.form()
    hosts = tuple(form.text("hosts").split())
    return await _changed(visit, form, checked(lambda: DomainChange(allow=hosts)))


async def cancel(visit: Visit) -> Response:
    """Cancel a change that waits."""
    reason = (await visit.form()).text("reason")
    name = (await show_domain(visit.context, visit.part("name"))).name
    change = await cancel_change(visit.because(reason), _number(visit), name)
    return see_other(f"/domains/{path_segment(change.domain)}")


async def apply_early(visit: Visit) -> Response:
    """Apply a change before its time."""
    reason = (await visit.form()).text("reason")
    name = (await show_domain(visit.context, visit.part("name"))).name
    if not visit.session.is_fresh(visit.now):
        return factor_first(visit, _own_path(name))
    change = await apply_change(visit.because(reason), _number(visit), name)
    return see_other(f"/domains/{path_segment(change.domain)}")


async def _changed(visit: Visit, form: FormValues, wanted: DomainChange) -> Response:
    name = (await show_domain(visit.context, visit.part("name"))).name
    if not visit.session.is_fresh(visit.now):
        return factor_first(visit, _own_path(name))
    await change_domain(visit.because(form.text("reason")), name, wanted)
    return see_other(f"/domains/{path_segment(name)}")


def _own_path(name: str) -> str:
    return f"/domains/{path_segment(name)}/direction"


def _number(visit: Visit) -> int:
    """Return the number of the change; 0, which no change has, if it is none."""
    text = visit.part("number")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/direction", direction),
    page_route("/domains/{name}/destination", set_destination, ["POST"]),
    page_route("/domains/{name}/hosts", set_hosts, ["POST"]),
    page_route("/domains/{name}/changes/{number}/cancel", cancel, ["POST"]),
    page_route("/domains/{name}/changes/{number}/apply", apply_early, ["POST"]),
]
