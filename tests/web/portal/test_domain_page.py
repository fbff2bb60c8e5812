"""The page of a domain, and its release."""

import asyncio

from restante.admin.auditing import moment
from restante.admin.held_over_time import HeldOverTimeView, HeldPointView
from restante.queue.drain_word import DrainState
from restante.queue.presence import DestinationState, PresenceChange
from restante.tenancy.grants import GrantedRole
from restante.web.portal.domain_page import chart
from tests.admin.admin_world import NOW
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit


def test_release_asks_for_the_domain_as_the_user() -> None:
    admin = hosting()
    answer = visit(admin, "/domains/alpha.example/release", ALPHA, form={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/domains/alpha.example")
    assert admin.server is not None
    assert admin.server.released == [("alpha.example", "user anna (alpha)", "portal")]


def test_a_reader_may_not_release() -> None:
    admin = hosting()
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(admin, "/domains/alpha.example/release", reader, form={}).status_code == 403
    assert admin.server is not None
    assert admin.server.released == []


def test_looking_releases_nothing() -> None:
    admin = hosting()
    assert visit(admin, "/domains/alpha.example/release", ALPHA).status_code == 405
    assert admin.server is not None
    assert admin.server.released == []


def test_the_drain_is_a_part_of_its_own_that_refreshes_itself() -> None:
    admin = hosting()
    text = visit(admin, "/domains/alpha.example/drain", ALPHA).text
    assert text.startswith('<div id="drain"')
    assert 'hx-trigger="every 2s"' in text
    assert "<dd>5</dd>" in text
    quiet = visit(admin, "/domains/beta.example/drain", BETA).text
    assert 'hx-trigger="every 10s"' in quiet  # a drain that begins later appears


def test_a_refresh_replaces_all_that_shows_the_drain_or_the_queue() -> None:
    page = visit(hosting(), "/domains/alpha.example", ALPHA).text
    part = visit(hosting(), "/domains/alpha.example/drain", ALPHA).text
    assert "hx-swap-oob" not in page
    for place in ('<span id="seen"', '<p id="lead" class="lead"', '<div id="attention"'):
        assert place in page
        assert f'{place} hx-swap-oob="outerMorph"' in part
    assert "Handing over now: 5 delivered, 0 left." in part
    assert "<dt>Per second</dt><dd>0.2</dd>" in part
    assert "last words, 3 s ago: " in part
    assert "250 2.0.0 Ok: queued as 4711" in part


def test_the_answer_after_the_end_of_a_drain_has_all_parts_once_more() -> None:
    part = visit(hosting(), "/domains/beta.example/drain", BETA).text
    assert part.count('hx-swap-oob="outerMorph"') == 3
    assert "Handing over now" not in part


def test_a_drain_that_waits_to_retry_says_so() -> None:
    admin = hosting()
    assert admin.server is not None
    admin.server.last_error = "Connection refused"
    admin.server.drain_state = DrainState.WAITING_TO_RETRY
    text = visit(admin, "/domains/alpha.example", ALPHA).text
    assert "The release waits to try again at " in text
    assert "Handing over now" not in text
    assert '<span class="state warn">waiting to retry</span>' in text
    assert 'No connection: <span class="words">connection refused</span>' in text
    assert "The primary said" not in text
    assert "<dt>Next attempt in</dt><dd>45 s</dd>" in text
    assert "<dt>Per second before</dt><dd>0.2</dd>" in text
    assert "<dt>Ends in about</dt><dd>45 s</dd>" in text  # nothing is left: the wait alone


def test_the_words_of_the_primary_are_text() -> None:
    admin = hosting()
    assert admin.server is not None
    admin.server.last_error = "451 <script>alert(1)</script>"
    admin.server.last_reply = "250 <script>alert(2)</script>"
    text = visit(admin, "/domains/alpha.example", ALPHA).text
    assert 'The primary said last: <span class="words">451 &lt;script&gt;' in text
    assert "<script>alert" not in text


def test_the_policy_is_told_in_sentences() -> None:
    text = visit(hosting(), "/domains/alpha.example", ALPHA).text
    assert "Mail is held until somebody asks for it." in text
    assert "Refused mail is kept without a time limit, with a notice after 14 days." in text
    assert "restante release alpha.example" in text


def test_held_mail_without_a_noted_figure_is_in_the_chart() -> None:
    admin = hosting()
    assert "No mail was waiting when" in visit(admin, "/domains/alpha.example", ALPHA).text
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    text = visit(admin, "/domains/alpha.example", ALPHA).text
    assert "No mail was waiting" not in text
    assert "Messages held over the last 7 days, at most 1" in text


def test_a_chart_has_a_bar_for_each_slot() -> None:
    def point(at: float, messages: int) -> HeldPointView:
        return HeldPointView(at=moment(at), messages=messages, octets=1)

    held = HeldOverTimeView(
        domain="alpha.example",
        since=moment(0),
        until=moment(600),
        slot_seconds=60,
        points=[point(0, 1), point(300, 2)],
    )
    assert chart(held) == [(0.0, 60.0, 45.0), (300.0, 60.0, 90.0)]
    assert chart(held.model_copy(update={"points": []})) == []


def test_the_uptime_says_when_the_destination_was_away() -> None:
    admin = hosting()
    assert "Nothing is known yet." in visit(admin, "/domains/alpha.example", ALPHA).text
    changes = [
        PresenceChange("alpha", "mail.alpha.example:25", NOW - ago, seen, reason)
        for ago, seen, reason in (
            (9 * 86400.0, DestinationState.UP, ""),
            (7200.0, DestinationState.AWAY, "<b>refused"),
            (3600.0, DestinationState.UP, ""),
        )
    ]
    asyncio.run(admin.store.presence.record_presence(changes))
    text = visit(admin, "/domains/alpha.example", ALPHA).text
    assert "It was away 1 h, in 1 outage." in text
    assert text.count('<rect class="none"') == 30
    assert text.count('<rect class="away"') == 1
    assert "<li>Away from <time" in text
    assert "&lt;b&gt;refused" in text
    assert "restante domain uptime alpha.example" in text
