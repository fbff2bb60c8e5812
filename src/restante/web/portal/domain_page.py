"""One domain: its mail over time, the drain as it runs, and the policy in sentences."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.domain_glances import DomainGlance, show_glance
from restante.admin.domain_uptime import UptimeSelection, show_uptime
from restante.admin.domains import DomainView, show_domain
from restante.admin.held_over_time import HeldOverTimeView, HeldSpan, show_held
from restante.admin.operator_release import NothingReleased, ReleaseOrder, release
from restante.admin.waiting_changes import list_changes
from restante.web.portal.domain_sentence import needs, retention, seen_now, sentence
from restante.web.portal.page_wording import short_octets
from restante.web.portal.portal_visit import Visit, page_route, path_segment, see_other
from restante.web.portal.shell_lines import of_uptime, released
from restante.web.portal.uptime_days import day_bars, first_moment, outages_of, uptime_sentence

_HOLD: Final = {
    "until-asked": "Mail is held until somebody asks for it.",
    "on-return": "Mail is handed over when the primary answers again, or on request.",
    "relay": "Mail is forwarded at once, and retried with growing pauses.",
    "suspended": "The domain is suspended. Nothing leaves, even on request.",
}
_RECIPIENTS: Final = {
    "any": "Mail for any address of the domain is accepted.",
    "list": "Addresses are known from a list.",
    "learned": "Addresses are known from a list and from the primary's answers.",
}
_UNKNOWN: Final = {
    "accept": "Mail for other addresses is accepted too.",
    "defer": "Senders to other addresses are asked to try again later.",
    "reject": "Mail for other addresses is refused.",
}
MOST_STRETCHES: Final = 1000  # of uptime that are read
CHART_WIDTH: Final = 600
CHART_HEIGHT: Final = 90


@dataclass(frozen=True, slots=True)
class DrainPace:
    """How fast a drain goes: messages a second lately, and the seconds that are left."""

    rate: float
    left: float | None  # None: unknown
    wait: float = 0.0  # seconds to the next attempt; 0: one is under way


async def domain(visit: Visit) -> Response:
    """Show a domain."""
    glance = await show_glance(visit.context, visit.part("name"))
    record = await show_domain(visit.context, glance.name)
    held = await show_held(visit.context, glance.name, HeldSpan(since=visit.now - 7 * 86400.0))
    return visit.page(
        "domain.html",
        glance=glance,
        record=record,
        waiting=list(await list_changes(visit.context, domain=glance.name)),
        policy=policy_sentences(record, glance),
        chart=chart(held),
        most=max((one.messages for one in held.points), default=0),
        commands=released(glance.name, visit.renderer.base_url),
        **await _uptime_parts(visit, glance.name),
        **_live_parts(glance, visit.now),
    )


async def _uptime_parts(visit: Visit, name: str) -> dict[str, Any]:
    wanted = UptimeSelection(since=first_moment(visit.now), limit=MOST_STRETCHES)
    view = await show_uptime(visit.context, name, wanted)
    return {
        "uptime": view,
        "uptime_text": uptime_sentence(view),
        "days": day_bars(view, visit.now),
        "outages": outages_of(view),
        "uptime_commands": of_uptime(name, visit.renderer.base_url),
    }


async def domain_drain(visit: Visit) -> Response:
    """Show the parts of the page that change while a drain runs."""
    glance = await show_glance(visit.context, visit.part("name"))
    if glance.drain is None:  # it may have ended while the rest was read: this answer is the last
        glance = await show_glance(visit.context, glance.name)
    return visit.page("domain_live.html", glance=glance, **_live_parts(glance, visit.now))


def _live_parts(glance: DomainGlance, now: float) -> dict[str, Any]:
    return {
        "seen": seen_now(glance),
        "sentence": sentence(glance, now),
        "needs": list(needs(glance, now)),
        "pace": _pace(glance, now),
    }


async def release_domain(visit: Visit) -> Response:
    """Release a domain's mail, as an ETRN of its primary does."""
    name = (await show_domain(visit.context, visit.part("name"))).name
    try:
        await release(visit.context, ReleaseOrder(targets=(name,), reason="portal"))
    except NothingReleased as refusal:
        [answer] = refusal.results
        return visit.page("release_refused.html", status=409, answer=answer, name=name)
    return see_other(f"/domains/{path_segment(name)}")


def policy_sentences(record: DomainView, glance: DomainGlance) -> list[str]:
    """Return the policy of a domain as people say it."""
    policy = record.policy
    found = [_HOLD.get(policy.hold, f"Hold policy: {policy.hold}.")]
    found.append(f"Mail is {retention(glance.keep_seconds, glance.at_end)}.")
    if policy.refused_retention is not None:
        kept = retention(policy.refused_retention, policy.refused_at_end)
        found.append(f"Refused mail is {kept}.")
    if policy.accept == "when-down":
        found.append("Mail is accepted only while the primary is away.")
    found.append(_RECIPIENTS.get(policy.recipients, ""))
    if policy.recipients != "any":
        found.append(_UNKNOWN.get(policy.unknown, ""))
    if policy.quota is not None:
        found.append(f"At most {short_octets(policy.quota)} are held.")
    if policy.message_size is not None:
        found.append(f"A message has at most {short_octets(policy.message_size)}.")
    return found


def chart(held: HeldOverTimeView) -> list[tuple[float, float, float]]:
    """Return the bars of a chart: left edge, width and height, in its own units."""
    begin, end = held.since.timestamp(), held.until.timestamp()
    most = max((one.messages for one in held.points), default=0)
    if not most or end <= begin:
        return []
    scale = CHART_WIDTH / (end - begin)
    width = max(held.slot_seconds * scale, 1)
    return [
        (
            round((one.at.timestamp() - begin) * scale, 1),
            round(width, 1),
            round(CHART_HEIGHT * one.messages / most, 1),
        )
        for one in held.points
    ]


def _pace(glance: DomainGlance, now: float) -> DrainPace:
    if glance.drain is None:
        return DrainPace(0.0, None)
    rate, next_at = glance.drain.rate, glance.drain.next_attempt_at
    wait = 0.0 if next_at is None else max(next_at.timestamp() - now, 0.0)
    return DrainPace(rate, wait + glance.held / rate if rate else None, wait)


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}", domain),
    page_route("/domains/{name}/drain", domain_drain),
    page_route("/domains/{name}/release", release_domain, ["POST"]),
]
