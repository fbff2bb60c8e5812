"""The policy of a domain: shown, changed, suspended and resumed by forms.

A change of the policy needs a recent factor, because a short retention deletes mail. To suspend a
domain and to resume it need none.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.domain_change import DomainChange
from restante.admin.domains import DomainView, change_domain, show_domain
from restante.mail.quantity import read_span
from restante.tenancy.policy import WhileSuspended
from restante.tenancy.policy_settings import SUSPENDED
from restante.web.portal.people_words import error_for_people, in_words_for_people
from restante.web.portal.policy_fields import policy_groups, wanted_change
from restante.web.portal.portal_visit import (
    FormValues,
    Visit,
    checked,
    page_route,
    path_segment,
    see_other,
)
from restante.web.portal.repeat_page import factor_first
from restante.web.portal.shell_lines import of_policy, of_suspension

_CORRECTABLE: Final = (ErrorKind.USAGE, ErrorKind.INVALID, ErrorKind.CONFLICT)
_SPAN: Final = "write a number and one of m, h, d and w, such as 2d"


async def policy(visit: Visit) -> Response:
    """Show the policy and its forms."""
    return _page(visit, await show_domain(visit.context, visit.part("name")))


async def set_policy(visit: Visit) -> Response:
    """Change the settings that differ from those on the page."""
    form, record = await visit.form(), await show_domain(visit.context, visit.part("name"))
    if not visit.session.is_fresh(visit.now):
        return factor_first(visit, _own_path(record.name))
    return await _changed(visit, record, form, lambda: wanted_change(form))


async def suspend(visit: Visit) -> Response:
    """Suspend a domain, or end its suspension."""
    form, record = await visit.form(), await show_domain(visit.context, visit.part("name"))
    if form.text("resume"):
        ended = DomainChange.model_validate({"hold": record.policy.hold_otherwise})
        return await _changed(visit, record, form, lambda: ended)
    return await _changed(visit, record, form, lambda: _suspension(visit, form))


def _suspension(visit: Visit, form: FormValues) -> DomainChange:
    wanted: dict[str, Any] = {"hold": SUSPENDED, "reason": form.text("reason")}
    if given := form.given("while_suspended"):
        wanted["while_suspended"] = given
    if given := form.given("for"):
        try:
            wanted["until"] = moment(visit.now + read_span(given))
        except (ValueError, OverflowError):
            error = f"{given}: is not a span of time"
            raise AdminError(ErrorKind.INVALID, error, _SPAN) from None
    return checked(lambda: DomainChange.model_validate(wanted))


async def _changed(
    visit: Visit, record: DomainView, form: FormValues, wanted: Callable[[], DomainChange]
) -> Response:
    """Make a change. If it is refused, the typed values stay on the page."""
    try:
        context = visit.because(form.text("reason"))
        changed = await change_domain(context, record.name, wanted())
    except AdminError as error:
        if error.kind not in _CORRECTABLE:
            raise
        text = error_for_people(error)
        return _page(visit, record, HTTPStatus.UNPROCESSABLE_ENTITY, form, error=text)
    if changed.warnings:
        warnings = [in_words_for_people(one) for one in changed.warnings]
        return _page(visit, changed.domain, warnings=warnings)
    return see_other(f"/domains/{path_segment(record.name)}")


def _page(
    visit: Visit,
    record: DomainView,
    status: int = HTTPStatus.OK,
    typed: FormValues | None = None,
    **told: Any,
) -> Response:
    principal, base_url = visit.session.principal, visit.renderer.base_url
    groups = policy_groups(principal, record.policy, typed)
    shown = [one for fields in groups.values() for one in fields]
    is_suspended = record.policy.hold == SUSPENDED
    return visit.page(
        "policy.html",
        status,
        record=record,
        groups=groups,
        is_suspended=is_suspended,
        typed=typed or FormValues(""),
        mail=[one.value for one in WhileSuspended],
        commands=of_policy(
            record.name,
            [(one.name, one.was) for one in shown],
            {one.name: one.value for one in shown},
            base_url,
        ),
        suspending=of_suspension(
            record.name, str(record.policy.hold_otherwise) if is_suspended else "", base_url
        ),
        **{"error": "", "warnings": [], **told},
    )


def _own_path(name: str) -> str:
    return f"/domains/{path_segment(name)}/policy"


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/policy", policy),
    page_route("/domains/{name}/policy", set_policy, ["POST"]),
    page_route("/domains/{name}/suspend", suspend, ["POST"]),
]
