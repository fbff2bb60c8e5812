"""The page of a message: its way, for held mail and mail that has left."""

import asyncio

import pytest

from restante.admin.held_mail import HeaderView, NamedMessages, delete_messages
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage, message_name
from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.queue.drain_word import DrainWay
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.principal import Principal, Role
from restante.web.portal.message_page import shown_headers
from tests.actors import actor_named
from tests.admin.admin_world import HEAD, NOW, AdminWorld, ask_for
from tests.contract.making import delivered
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit

NAME = message_name(1)
PAGE = f"/messages/{NAME}"
REPLY = "550 5.7.1 <b>spam</b>"


def refused_mail() -> AdminWorld:
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    asyncio.run(admin.refuse(1, 1, "a@alpha.example", REPLY))
    return admin


def test_held_mail_shows_its_way_and_the_words_of_the_primary_as_text() -> None:
    text = visit(refused_mail(), PAGE, ALPHA).text
    assert "Received" in text
    assert "550 5.7.1 &lt;b&gt;spam&lt;/b&gt;" in text
    assert REPLY not in text
    assert "<dt>Subject</dt>" in text
    assert "business" not in text


@pytest.mark.parametrize(
    ("ptr", "text"),
    [
        (PtrStatus.CONFIRMED, "Received from 192.0.2.9 (mx.b.example, confirmed), which said"),
        (PtrStatus.UNCONFIRMED, "(named mx.b.example, but the name leads elsewhere), which said"),
        (PtrStatus.NONE, "(without a name in DNS), which said"),
        (PtrStatus.FAILED, "(its name could not be looked up), which said"),
        (PtrStatus.NOT_LOOKED_UP, "Received from 192.0.2.9, which said EHLO client.example"),
    ],
)
def test_held_mail_shows_the_name_of_its_client(ptr: PtrStatus, text: str) -> None:
    admin = hosting()
    name = "mx.b.example" if ptr in (PtrStatus.CONFIRMED, PtrStatus.UNCONFIRMED) else ""
    origin = MessageOrigin("192.0.2.9", 4711, "client.example", host_name=name, ptr=ptr)
    mail = NewMessage(1, 1, Envelope("", ("a@alpha.example",)), NOW, HEAD, origin=origin)
    asyncio.run(hold_one(admin, mail))
    assert text in visit(admin, PAGE, ALPHA).text


def test_mail_that_left_shows_its_client_and_the_verdicts_of_checks() -> None:
    admin = hosting()
    verdicts = {"spf": "pass for b.example", "rspamd": "score 3; <b>BAYES</b>"}
    origin = MessageOrigin(
        *("192.0.2.9", 4711, "client.example", "TLSv1.3", "mx.b.example", verdicts),
        PtrStatus.CONFIRMED,
    )
    mail = NewMessage(1, 1, Envelope("", ("a@alpha.example",)), NOW, HEAD, origin=origin)
    asyncio.run(hold_one(admin, mail))
    asyncio.run(delete_messages(admin.context, NamedMessages(names=(NAME,), reason="spam wave")))
    text = visit(admin, PAGE, ALPHA).text
    assert (
        "Received from 192.0.2.9 (mx.b.example, confirmed), which said EHLO client.example, with"
        " TLSv1.3;"
    ) in text
    assert "spf: pass for b.example; rspamd: score 3; &lt;b&gt;BAYES&lt;/b&gt;" in text
    assert "Marked as suspect" not in text


async def hold_one(admin: AdminWorld, mail: NewMessage) -> None:
    assert await admin.store.reception.hold([mail]) == {}


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ({}, "It is held without a time limit."),
        ({"retention": 86400.0, "at_end": "keep"}, "It is held without a time limit."),
        (
            {"retention": 86400.0, "at_end": "bounce"},
            "It is held until 2025-10-10 07:53:20, then bounced.",
        ),
    ],
    ids=["for ever", "kept at the end", "bounced"],
)
def test_held_mail_shows_its_end(policy: dict[str, object], text: str) -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha", **policy))
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    assert text in visit(admin, PAGE, ALPHA).text


def deferred_mail(times: int = 2) -> AdminWorld:
    """Return held mail that was deferred so often, for one request to release it."""
    admin = hosting()

    async def story() -> None:
        await admin.hold(1, 1, "a@alpha.example")
        drain = await ask_for(admin, 900, "alpha.example", 1)
        for place in range(times):
            outcome = RecipientOutcome(
                "a@alpha.example", RecipientMove.DEFERRED, f"45{place} <i>later</i>"
            )
            at = NOW + 100 * place
            await admin.store.handover.settle(drain, [MessageOutcome(1, (outcome,))], at=at)
        await admin.store.handover.close_drain(drain, at=NOW + 300)

    asyncio.run(story())
    return admin


def test_attempts_are_shown_with_the_last_reply_and_the_releases_since() -> None:
    text = visit(deferred_mail(), PAGE, ALPHA).text
    assert "2 attempts without delivery, the last 2025-10-09 08:55:00. The reply to" in text
    assert '<p class="words">451 &lt;i&gt;later&lt;/i&gt;</p>' in text
    assert "450 &lt;i&gt;" not in text  # the store keeps the last one alone
    assert "login alpha-mail asked for alpha.example: 1 left" in text
    assert "alpha.example" not in visit(deferred_mail(), PAGE, BETA).text


def test_mail_that_was_never_tried_shows_no_attempt() -> None:
    assert "attempt" not in visit(deferred_mail(0), PAGE, ALPHA).text


def test_refused_mail_has_no_end_of_holding() -> None:
    text = "It stays here until somebody releases, bounces or deletes it."
    assert text in visit(refused_mail(), PAGE, ALPHA).text


def test_a_release_after_a_refusal_is_not_shown_as_a_step_of_the_message() -> None:
    admin = refused_mail()

    async def story() -> None:
        await admin.hold(2, 1, "b@alpha.example")
        drain = await ask_for(admin, 900, "alpha.example", 1)
        await admin.store.handover.close_drain(drain, at=NOW + 300)

    asyncio.run(story())
    assert "asked for alpha.example" not in visit(admin, PAGE, ALPHA).text


def test_mail_that_left_by_a_turnaround_shows_the_login_and_the_address() -> None:
    admin = refused_mail()

    async def story() -> None:
        await admin.hold(2, 1, "b@alpha.example")
        drain = await ask_for(admin, 900, "alpha.example", 1, way=DrainWay.TURNAROUND)
        await admin.store.handover.settle(drain, [delivered(2, "b@alpha.example")])
        await admin.store.handover.close_drain(drain, at=NOW + 300)

    asyncio.run(story())
    text = visit(admin, f"/messages/{message_name(2)}", ALPHA).text
    assert "login alpha-mail asked by ATRN for alpha.example, from 192.0.2.25" in text
    assert "b@alpha.example (over the client&#39;s own connection):" in text
    assert "192.0.2.25, by ATRN" in visit(admin, "/releases", ALPHA).text
    release = visit(admin, f"/releases/{message_name(900)}", ALPHA).text
    assert "<h1>Turnaround of alpha.example</h1>" in release


def test_headers_are_decoded_until_that_takes_too_long() -> None:
    word = HeaderView(name="Subject", value="=?utf-8?q?f=C3=BCr?= you")
    long = HeaderView(name="X-Long", value="=?utf-8?q?a?= " * 400)
    assert [one.value for one in shown_headers([word, long, word])] == [
        "für you",
        long.value,
        word.value,
    ]
    assert len(shown_headers([word] * 101)) == 100


def test_mail_that_has_left_shows_who_removed_it_and_why() -> None:
    admin = refused_mail()
    asyncio.run(delete_messages(admin.context, NamedMessages(names=(NAME,), reason="spam wave")))
    text = visit(admin, PAGE, ALPHA).text
    assert "It has left the queue." in text
    assert "deleted" in text
    assert "spam wave" in text
    assert visit(admin, PAGE, BETA).status_code == 404


def test_names_that_are_none_are_unknown() -> None:
    admin = refused_mail()
    for name in ("x!", "9" * 40, message_name(77)):
        assert visit(admin, f"/messages/{name}", ALPHA).status_code == 404


def reader_of_content() -> Principal:
    grants: frozenset[Grant] = frozenset({GrantedRole.ACCOUNT_ADMIN, Scope.CONTENT_READ})
    return Principal(
        Role.ACCOUNT, actor_named("user anna (alpha)"), "192.0.2.9", "alpha", (grants,)
    )


def test_content_is_a_file_for_those_who_may_and_have_a_recent_factor() -> None:
    admin = refused_mail()
    who, form = reader_of_content(), {"reason": "asked by the sender"}
    assert visit(admin, f"{PAGE}/raw", ALPHA, form=form).status_code == 403
    assert visit(admin, f"{PAGE}/raw", user_of("beta"), form=form).status_code == 404
    stale = visit(admin, f"{PAGE}/raw", who, form=form, fresh_until=NOW)
    question = f"/step-up/keep?question=%2Fmessages%2F{NAME}%2Fask%3Fagain%3D1&next="
    assert stale.headers["location"] == f"{question}%2Fmessages%2F{NAME}"
    again = visit(admin, f"{PAGE}/ask?again=1", who, form=form).text
    assert 'value="asked by the sender"' in again
    assert "Nothing has been downloaded yet" in again
    assert "Confirm first that it is you" in visit(admin, PAGE, who, fresh_until=NOW).text
    assert visit(admin, f"{PAGE}/raw", who, form={}).status_code == 400
    sent = visit(admin, f"{PAGE}/raw", who, form=form)
    assert sent.content == HEAD
    assert sent.headers["content-type"] == "message/rfc822"
    assert sent.headers["content-disposition"] == f'attachment; filename="{NAME}.eml"'
