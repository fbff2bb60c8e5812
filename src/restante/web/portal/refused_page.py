"""Refused mail, in groups by the primary's reply: after a fix, one press tries a group again."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.held_mail import MessageView, QueueSelection, list_queue
from restante.admin.listing_page import MOST_ROWS
from restante.background.loop_slices import in_turns
from restante.queue.recipient_status import RecipientStatus
from restante.web.portal.portal_visit import Visit, page_route

MOST_READ: Final = 1000  # messages; the oldest first
EXAMPLES: Final = 5
# A reply names a queue id, a time or an address: without them, alike replies are the same.
_OWN_WORDS: Final = re.compile(
    r"<[^<>]*>|(?<![^\s<>(),;@])[^\s<>(),;@]+@[^\s<>(),;@]+"  # from the start of a word: linear
    r"|\b(?=\w*\d)[0-9A-Za-z]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-fA-F:.]+\]"
)
_STATUS: Final = re.compile(r"^(\d{3})([ -])")


@dataclass(slots=True)
class ReplyGroup:
    """The messages that got one reply."""

    reply: str  # of the first of them, as the primary wrote it
    names: list[str] = field(default_factory=list)
    domains: Counter[str] = field(default_factory=Counter)
    examples: list[MessageView] = field(default_factory=list)


async def refused(visit: Visit) -> Response:
    """Show the refused mail of a domain or of all."""
    domain = visit.query.given("domain")
    groups: dict[str, ReplyGroup] = {}
    count = 0
    after: str | None = None
    while count < MOST_READ:
        selection = QueueSelection(
            domain=domain, status=RecipientStatus.REFUSED, after=after, limit=MOST_ROWS
        )
        page = await list_queue(visit.context, selection)
        async for message in in_turns(page.views):
            add_to_groups(groups, message)
            count += 1
        if (after := page.after) is None:
            break
    ordered = sorted(groups.values(), key=lambda group: -len(group.names))
    return visit.page(
        "refused.html", groups=ordered, domain=domain, count=count, is_cut=count >= MOST_READ
    )


def add_to_groups(groups: dict[str, ReplyGroup], message: MessageView) -> None:
    """Add a message to its groups."""
    for key, reply in _replies(message).items():
        group = groups.get(key)
        if group is None:
            group = groups[key] = ReplyGroup(reply)
        group.names.append(message.name)
        group.domains[message.domain] += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(message)


def kind_of(reply: str) -> str:
    """Return a reply without the words that differ from message to message."""
    return _OWN_WORDS.sub("…", _STATUS.sub(r"\1 ", reply)).casefold()


def _replies(message: MessageView) -> dict[str, str]:
    """Return the replies of one message, by their kind."""
    return {
        kind_of(one.reply): one.reply
        for one in reversed(message.recipients)
        if one.status == RecipientStatus.REFUSED
    }


ROUTES: Final[list[Route]] = [page_route("/refused", refused)]
