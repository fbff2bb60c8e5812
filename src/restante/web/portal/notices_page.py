"""Notices: the channels, a test of each, those that wait, and the last ones with their answers."""

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.channels import (
    TrialView,
    list_channels,
    list_waiting,
    show_channel,
    try_channel,
)
from restante.admin.past_notices import PastSelection, SentAgain, list_past, send_again
from restante.web.portal.portal_visit import Visit, all_made, page_route, see_other

ROWS: Final = 100
PAST_ROWS: Final = 50


async def notices(visit: Visit) -> Response:
    """List the channels and the waiting notices."""
    return await _page(visit)


async def send_trial(visit: Visit) -> Response:
    """Send a test through a channel, and say how that went."""
    account = (await visit.form()).text("account", visit.session.principal.account)
    name = show_channel(visit.context, account, visit.part("channel")).name
    return await _page(visit, name, await try_channel(visit.context, account, name))


async def repeat_notice(visit: Visit) -> Response:
    """Have a past notice sent again."""
    form = await visit.form()
    account = form.text("account", visit.session.principal.account)
    name = show_channel(visit.context, account, visit.part("channel")).name
    await send_again(visit.context, account, name, SentAgain(id=form.text("id")[:64] or "-"))
    return see_other("/notices")


async def _page(visit: Visit, tested: str = "", trial: TrialView | None = None) -> Response:
    after = visit.query.text("after")
    channels = list(islice(list_channels(visit.context, after=after), ROWS))
    waiting = await all_made((await list_waiting(visit.context, limit=ROWS)).views)
    past = await all_made((await list_past(visit.context, PastSelection(limit=PAST_ROWS))).views)
    more = ""
    if len(channels) == ROWS:
        last = channels[-1]
        more = "/notices?" + urlencode({"after": f"{last.account}/{last.name}"})
    return visit.page(
        "notices.html",
        channels=channels,
        waiting=waiting,
        past=past,
        tested=tested,
        trial=trial,
        more=more,
    )


ROUTES: Final[list[Route]] = [
    page_route("/notices", notices),
    page_route("/notices/{channel}/test", send_trial, ["POST"]),
    page_route("/notices/{channel}/again", repeat_notice, ["POST"]),
]
