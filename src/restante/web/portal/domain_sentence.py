"""One sentence for each domain, and the things that need a person. Pure.

The texts have names of hosts and words of destinations in them: they are text, never markup.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from restante.admin.change_scheduling import WaitingChangeView
from restante.admin.domain_glances import DomainGlance
from restante.admin.drains import DrainView
from restante.admin.releases import RefusedReleaseRequests
from restante.queue.drain_word import DrainState, DrainWay
from restante.queue.presence import DestinationState
from restante.tenancy.actor import ActorKind, read_actor
from restante.tenancy.model import NO_DESTINATION
from restante.web.portal.page_wording import (
    clock,
    counted_thing,
    day,
    number,
    short_octets,
    short_span,
    span_in_words,
    time_ago,
)

QUOTA_SHARE: Final = 0.8  # of a quota: from there on somebody should know
NOTICE_SECONDS: Final = 3 * 86400.0  # before the end of retention
THEN: Final = {
    "delete": "deleted",
    "bounce": "bounced",
}  # at the end of retention; mail stays with "keep"
MOST_REFUSED: Final = 5  # domains with a line of their own for a refused request
_AWAY_SECONDS: Final = 3600.0  # a restart of a server needs nobody
_REPLY: Final = re.compile(r"[2-5]\d\d(?:[ -]|$)")  # RFC 5321 §4.2
_NO_CONNECTION: Final = frozenset(
    {
        "connecting timed out",
        "connection refused",
        "connection timed out",
        "host is down",
        "network is down",
        "network is unreachable",
        "no route to host",
    }
)


@dataclass(frozen=True, slots=True)
class DomainNeed:
    """Something that a person should decide or know, and the page for it."""

    domain: str
    text: str
    link: str
    is_urgent: bool = False


def sentence(glance: DomainGlance, now: float) -> str:
    """Return the answer to a customer's first question: my server, and my mail."""
    parts = [f"{_presence(glance, now)} {_mail(glance, now)}"]
    if glance.drain is not None:
        parts.append(
            f"{_stage(glance.drain, now)}: {number(glance.drain.delivered)} delivered,"
            f" {number(glance.held)} left."
        )
    return " ".join(parts)


def seen_now(glance: DomainGlance) -> DestinationState:
    """Return the state of the primary, by the newest of probe, delivery and attempt."""
    if _takes_mail(glance.drain):
        return DestinationState.UP
    if _did_not_answer(glance) is not None:
        return DestinationState.AWAY
    return DestinationState.UP if _took_mail_since(glance) else glance.primary.seen


def _did_not_answer(glance: DomainGlance) -> datetime | None:
    """Return when the last attempt of a drain got no connection, if no probe is newer."""
    drain = glance.drain
    if drain is None or drain.failed_at is None or drain.way is DrainWay.TURNAROUND:
        return None
    is_answer = drain.last_error.casefold() not in _NO_CONNECTION
    return None if is_answer or not _is_newer(drain.failed_at, glance) else drain.failed_at


def _took_mail_since(glance: DomainGlance) -> bool:
    return glance.took_mail_at is not None and _is_newer(glance.took_mail_at, glance)


def _is_newer(at: datetime, glance: DomainGlance) -> bool:
    probed_at = glance.primary.probed_at or glance.primary.since
    return probed_at is None or at > probed_at


def _takes_mail(drain: DrainView | None) -> bool:
    return (
        drain is not None
        and drain.way is not DrainWay.TURNAROUND
        and drain.state is DrainState.DELIVERING
        and bool(drain.connections and drain.delivered)
    )


def _stage(drain: DrainView, now: float) -> str:
    at = drain.next_attempt_at
    match drain.state:
        case DrainState.WAITING_TO_RETRY if at is not None:
            return f"The release waits to try again at {clock(at, now)}"
        case DrainState.WAITING_TO_RETRY:
            return "The release waits to try again"
        case DrainState.WAITING_TURN:
            return "The release waits its turn"
        case DrainState.UNCLAIMED:
            return "The release waits for a server"
        case DrainState.STOPPING:
            return "The release is being stopped"
    by_atrn = " by ATRN" if drain.way is DrainWay.TURNAROUND else ""
    named = " named mail only" if drain.way is DrainWay.MESSAGES else ""
    return f"Handing over{named}{by_atrn} now"


def trouble(error: str) -> tuple[str, str]:
    """Return whose words a drain's last error is, and the words.

    Only a reply was said by the primary; all else happened here or on the way.
    """
    if _REPLY.match(error):
        return "The primary said last", error
    if error.casefold() in _NO_CONNECTION:
        return "No connection", error[:1].lower() + error[1:]
    return "The last attempt failed", error


def _newer_than_the_probe(glance: DomainGlance, now: float) -> str:
    """Return what a drain knows better than the last probe, "" for nothing."""
    seen, took_at = glance.primary.seen, glance.took_mail_at
    if _takes_mail(glance.drain):
        return "" if seen is DestinationState.UP else "takes mail now"
    if (at := _did_not_answer(glance)) is not None:  # newer than mail of the drain before
        return "" if seen is DestinationState.AWAY else f"did not answer {time_ago(at, now)}"
    if seen is not DestinationState.UP and took_at is not None and _took_mail_since(glance):
        return f"took mail {time_ago(took_at, now)}"
    return ""


def _presence(glance: DomainGlance, now: float) -> str:
    host, primary = _host(glance), glance.primary
    if glance.destination == NO_DESTINATION:
        return "Mail leaves by ATRN only."
    if newer := _newer_than_the_probe(glance, now):
        return f"{host} {newer}."
    match primary.seen:
        case DestinationState.UP if primary.probed_at is not None:
            return f"{host} answers ({time_ago(primary.probed_at, now)})."
        case DestinationState.UP:
            return f"{host} answers."
        case DestinationState.AWAY:
            since = f" since {clock(primary.since, now)}" if primary.since else ""
            return f"{host} has been away{since}." if since else f"{host} is away."
    return f"{host} has not answered a probe yet."


def _host(glance: DomainGlance) -> str:
    """Return the destination; the usual port goes without saying."""
    return glance.destination.removesuffix(":25")


def _mail(glance: DomainGlance, now: float) -> str:
    last = _last_release(glance, now)
    kept = retention(glance.keep_seconds, glance.at_end)
    if not glance.held:
        return f"0 held{last}."
    text, octets = f"{number(glance.held)} held", short_octets(glance.octets)
    with_others = ""
    if apart := glance.refused or glance.uncertain + glance.damaged:
        kind = "refused" if glance.refused else "set apart"
        with_others = f"; {octets} with {number(apart)} {kind}"
    else:
        text += f", {octets}"
    if glance.oldest_at is not None:
        text += f", oldest {short_span(now - glance.oldest_at.timestamp())}"
    return f"{text}{with_others}; {kept}{last}."


def retention(seconds: float | None, at_end: str) -> str:
    """Return the time that mail is kept, and its end. With `keep` only a notice follows."""
    if seconds is None:
        return "kept without a time limit"
    if (then := THEN.get(at_end)) is None:
        return f"kept without a time limit, with a notice after {span_in_words(seconds)}"
    return f"kept {span_in_words(seconds)}, then {then}"


def _last_release(glance: DomainGlance, now: float) -> str:
    last = glance.last_drain
    if last is None:
        return ""
    actor = read_actor(last.requested_by)
    is_person = actor is not None and actor.kind in (ActorKind.LOGIN, ActorKind.USER)
    who = actor.name if actor is not None and is_person else last.requested_by
    return f"; last released {day(last.started_at, now)}{f' by {who}' if who else ''}"


def needs(glance: DomainGlance, now: float) -> Iterator[DomainNeed]:
    """Yield what needs a person, the urgent first."""
    name = glance.name
    if glance.damaged:
        text = f"{counted_thing(glance.damaged, 'message is', 'messages are')} damaged"
        yield DomainNeed(name, text, _queue(name, "damaged"), is_urgent=True)
    if glance.awaits_record:
        text = f"takes no mail until DNS has the record {glance.awaits_record}"
        yield DomainNeed(name, text, f"/domains/{name}", is_urgent=True)
    if (ahead := _retention_ahead(glance, now)) is not None:
        yield DomainNeed(name, ahead, _queue(name, "held"), is_urgent=True)
    if (full := _fullness(glance)) is not None:
        yield DomainNeed(name, full, f"/domains/{name}", is_urgent=True)
    if glance.refused:
        text = f"the primary has refused {counted_thing(glance.refused, 'message')}"
        yield DomainNeed(name, text, "/refused?" + urlencode({"domain": name}))
    if glance.uncertain:
        text = f"{counted_thing(glance.uncertain, 'message')} may have arrived, or not"
        yield DomainNeed(name, text, _queue(name, "uncertain"))
    if glance.deferred_by_policy:
        text = (
            f"a policy of the primary defers {counted_thing(glance.deferred_by_policy, 'message')}"
        )
        yield DomainNeed(name, text, _queue(name, "held"))
    if glance.suspended_for is not None:
        why = f": {glance.suspended_for}" if glance.suspended_for else ""
        yield DomainNeed(name, f"suspended, nothing leaves{why}", f"/domains/{name}")
    primary = glance.primary
    is_long_away = (
        seen_now(glance) is DestinationState.AWAY
        and primary.since is not None
        and now - primary.since.timestamp() >= _AWAY_SECONDS
    )
    if glance.held and is_long_away and primary.since is not None:
        reason = f": {primary.reason}" if primary.reason else ""
        away = short_span(now - primary.since.timestamp())
        text = f"{_host(glance)} has been away for {away}{reason}"
        yield DomainNeed(name, text, f"/domains/{name}")


def waiting_change(change: WaitingChangeView, now: float) -> DomainNeed:
    """Return the need to look at a change of the destination or the authorized hosts."""
    after = {one.field: one.after for one in change.changes}
    parts = []
    if any(field.startswith("destination.") for field in after):
        host = after.get("destination.host")
        parts.append(f"its destination{f' to {host}' if host else ''}")
    if "authorized_hosts" in after:
        parts.append("its authorized hosts")
    text = (
        f"{change.asked_by} changes {' and '.join(parts) or 'it'}, from"
        f" {clock(change.applies_at, now)} on: look at it, or cancel it"
    )
    return DomainNeed(change.domain, text, f"/domains/{change.domain}#waiting", is_urgent=True)


def more_changes(changes: Sequence[WaitingChangeView], now: float) -> DomainNeed:
    """Return the need for changes that are too many for a line each; the first is the soonest."""
    text = (
        f"{counted_thing(len(changes), 'more change waits', 'more changes wait')},"
        f" the next one until {clock(changes[0].applies_at, now)}"
    )
    return DomainNeed(changes[0].domain, text, f"/domains/{changes[0].domain}#waiting", True)


def refused_requests(found: Sequence[RefusedReleaseRequests], now: float) -> Iterator[DomainNeed]:
    """Yield the needs of refused requests for mail: a few lines at most.

    Anybody with a login or a token of the account can ask for names that are no domains: all of
    those share one line.
    """
    about = [one for one in found if one.domain][:MOST_REFUSED]
    yield from (refused_request(one, now) for one in about)
    others = [one for one in found if one not in about]
    if len(others) == 1:
        yield refused_request(others[0], now)
    elif others:
        count, last = sum(one.count for one in others), others[0]
        more = " more" if about else ""
        target = f" for {last.target}" if last.target else ""
        text = (
            f"{number(count)}{more} were refused, for {number(len(others))} names; the last by"
            f" {last.requested_by}{target} {time_ago(last.at, now)}: {last.reason}"
        )
        yield DomainNeed("Requests for mail", text, "/releases")


def refused_request(refused: RefusedReleaseRequests, now: float) -> DomainNeed:
    """Return the need of somebody who asked for mail and was refused."""
    times = f"{number(refused.count)} times, last " if refused.count > 1 else ""
    where = f" from {refused.acted_from}" if refused.acted_from else ""
    what = "it" if refused.target else "no domain"
    text = (
        f"{refused.requested_by}{where} asked for {what} and was refused"
        f" {times}{time_ago(refused.at, now)}: {refused.reason}"
    )
    return DomainNeed(refused.target or "A request", text, f"/releases/{refused.id}")


def _retention_ahead(glance: DomainGlance, now: float) -> str | None:
    begin = glance.kept_from or glance.oldest_at
    if glance.keep_seconds is None or begin is None or glance.at_end == "keep":
        return None
    ends = begin + timedelta(seconds=glance.keep_seconds)
    left = ends.timestamp() - now
    if left > min(NOTICE_SECONDS, glance.keep_seconds / 2):
        return None
    verb = "deleted" if glance.at_end == "delete" else "bounced"
    when = f"in {short_span(left)}" if left > 0 else "now"
    return f"the oldest mail is {verb} {when}"


def _fullness(glance: DomainGlance) -> str | None:
    messages = glance.held + glance.refused
    shares = [
        used / limit
        for used, limit in ((glance.octets, glance.quota), (messages, glance.quota_messages))
        if limit
    ]
    share = max(shares, default=0.0)
    if share < QUOTA_SHARE:
        return None
    return f"{share:.0%} of the quota is used; at 100 % new mail waits at its senders"


def _queue(domain: str, status: str) -> str:
    return "/queue?" + urlencode({"domain": domain, "status": status})
