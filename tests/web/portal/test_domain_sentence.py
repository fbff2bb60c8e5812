"""One sentence for each domain, and the things that need a person."""

from datetime import timedelta
from typing import Any

import pytest

from restante.admin.auditing import moment
from restante.admin.domain_glances import DomainGlance
from restante.admin.drains import LastDrainView
from restante.admin.primary_state import PrimaryView
from restante.admin.releases import RefusedReleaseRequests
from restante.queue.drain_word import DrainEnd
from restante.queue.presence import DestinationState
from restante.web.portal.domain_sentence import needs, refused_request, sentence

NOW = 1_764_331_200.0  # 2025-11-28 12:00
AT = moment(NOW)
UP = PrimaryView(seen=DestinationState.UP, since=AT, probed_at=AT - timedelta(seconds=40))
AWAY = PrimaryView(
    seen=DestinationState.AWAY, since=AT - timedelta(hours=8, minutes=48), reason="refused"
)


def test_a_request_that_was_refused_needs_a_person() -> None:
    refused = RefusedReleaseRequests(
        id="A7",
        at=AT - timedelta(minutes=5),
        requested_by="login acme-mail",
        acted_from="192.0.2.25",
        target="acme.example",
        reason="192.0.2.25 is not an authorized host",
        count=3,
    )
    need = refused_request(refused, NOW)
    assert (need.domain, need.link) == ("acme.example", "/releases/A7")
    assert need.text == (
        "login acme-mail from 192.0.2.25 asked for it and was refused 3 times, last 5 min ago:"
        " 192.0.2.25 is not an authorized host"
    )
    once = refused_request(refused.model_copy(update={"count": 1, "acted_from": ""}), NOW)
    assert once.text.startswith("login acme-mail asked for it and was refused 5 min ago: ")


def glance(**facts: Any) -> DomainGlance:
    empty: dict[str, Any] = {
        "name": "acme.example",
        "account": "acme",
        "destination": "mail.acme.example:25",
        "primary": UP,
        "held": 0,
        "octets": 0,
        "refused": 0,
        "uncertain": 0,
        "damaged": 0,
        "oldest_at": None,
        "suspended_for": None,
        "keep_seconds": None,
        "at_end": "keep",
        "quota": None,
        "quota_messages": None,
        "drain": None,
        "last_drain": None,
    }
    return DomainGlance(**empty | facts)


def test_a_quiet_domain() -> None:
    assert sentence(glance(), NOW) == "mail.acme.example answers (40 s ago). 0 held."


def test_a_domain_whose_server_is_away() -> None:
    last = LastDrainView(
        domain="acme.example",
        started_at=AT - timedelta(days=1),
        ended_at=AT,
        requested_by="login acme-mail",
        end=DrainEnd.FINISHED,
        reason="",
        delivered=3,
        deferred=0,
        refused=0,
        uncertain=0,
        last_error="",
    )
    away = glance(
        primary=AWAY,
        held=1204,
        octets=88 * 2**20,
        oldest_at=AT - timedelta(hours=5),
        keep_seconds=30 * 86400.0,
        last_drain=last,
    )
    assert sentence(away, NOW) == (
        "mail.acme.example has been away since 03:12. 1,204 held, 88 MiB, oldest 5 h; kept 30 days;"
        " last released yesterday by acme-mail."
    )
    assert [need.text for need in needs(away, NOW)] == [
        "mail.acme.example has been away for 9 h: refused"
    ]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"damaged": 1}, "1 message is damaged"),
        ({"refused": 2}, "the primary has refused 2 messages"),
        ({"uncertain": 1}, "1 message may have arrived, or not"),
        ({"suspended_for": ""}, "suspended, nothing leaves"),
        ({"octets": 80, "quota": 100}, "80% of the quota is used; at 100 % new mail waits"),
        (
            {
                "oldest_at": AT - timedelta(days=29),
                "keep_seconds": 30 * 86400.0,
                "at_end": "delete",
            },
            "the oldest mail is deleted in 1 d",
        ),
    ],
    ids=["damaged", "refused", "uncertain", "suspended", "quota", "retention"],
)
def test_what_needs_a_person(facts: dict[str, Any], text: str) -> None:
    [need] = needs(glance(**facts), NOW)
    assert need.text.startswith(text)


def test_nothing_else_needs_a_person() -> None:
    young = AT - timedelta(days=1)
    assert not list(needs(glance(oldest_at=young, keep_seconds=30 * 86400.0, at_end="delete"), NOW))
    assert not list(needs(glance(primary=AWAY), NOW))
    assert not list(needs(glance(octets=79, quota=100), NOW))
