"""The queue: filters, a selection that a refresh keeps, and actions that ask first."""

import asyncio
import re
from urllib.parse import urlencode

import pytest

from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage, message_name
from restante.mail.message_origin import MessageOrigin
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.tenancy.grants import GrantedRole
from restante.web.portal.queue_page import STEP_UP_FROM
from tests.admin.admin_world import HEAD, NOW, AdminWorld
from tests.contract.making import opened
from tests.web.portal.visitors import ALPHA, BETA, after, hosting, user_of, visit

EVIL = '"><script>alert(1)</script>@sender.example'


def with_mail(count: int = 3) -> AdminWorld:
    admin = hosting()

    async def story() -> None:
        for number in range(1, count + 1):
            await admin.hold(number, 1, f"user{number}@alpha.example")
        await admin.hold(count + 1, 2, "secret@beta.example")

    asyncio.run(story())
    return admin


def names_in(text: str) -> list[str]:
    return re.findall(r'type="checkbox" name="name" value="([^"]+)"', text)


def left(admin: AdminWorld) -> list[str]:
    return names_in(visit(admin, "/queue", ALPHA).text)


def test_a_filter_selects_and_another_account_s_mail_does_not_exist() -> None:
    admin = with_mail()
    text = visit(admin, "/queue", ALPHA).text
    assert len(names_in(text)) == 3
    assert "secret@" not in text
    [name] = names_in(visit(admin, "/queue?recipient=user2@*", ALPHA).text)
    assert f'href="/messages/{name}"' in text
    assert names_in(visit(admin, "/queue?hours=2", ALPHA).text) == []
    assert visit(admin, "/queue?domain=beta.example", ALPHA).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "status=odd",
        "hours=x",
        "hours=nan",
        "kilobytes=-1",
        "after=%21",
        f"message_id={'x' * 10_000}",
    ],
)
def test_odd_filters_get_an_answer(query: str) -> None:
    assert visit(with_mail(), f"/queue?{query}", ALPHA).status_code == 422


def test_a_message_is_found_by_its_message_id() -> None:
    admin = with_mail()

    async def hold() -> None:
        mail = Envelope("a@sender.example", ("user9@alpha.example",))
        message = NewMessage(77, 1, mail, NOW, HEAD, message_id="<order@a.example>")
        await admin.store.reception.hold([message])

    asyncio.run(hold())
    for written in ("order@a.example", "<order@a.example>"):
        query = urlencode({"message_id": written})
        assert names_in(visit(admin, f"/queue?{query}", ALPHA).text) == [message_name(77)]
        assert names_in(visit(admin, f"/queue?{query}", BETA).text) == []
    form = {"action": "delete", "scope": "all", "message_id": "order@a.example"}
    asked = visit(admin, "/queue/confirm", ALPHA, form=form).text
    assert "Delete 1 message?" in asked
    assert "all mail with the Message-ID order@a.example" in asked


def test_mail_is_found_by_the_address_of_its_client() -> None:
    admin = with_mail()

    async def hold() -> None:
        mail = Envelope("a@sender.example", ("user9@alpha.example",))
        origin = MessageOrigin("192.0.2.9", 4711, "mx.b.example")
        await admin.store.reception.hold([NewMessage(77, 1, mail, NOW, HEAD, origin=origin)])

    asyncio.run(hold())
    for query, names in (("192.0.2.0/24", [message_name(77)]), ("192.0.2.8", [])):
        text = visit(admin, f"/queue?{urlencode({'from_address': query})}", ALPHA).text
        assert names_in(text) == names
        assert f"--from-address {query}" in text
    form = {"action": "delete", "scope": "all", "from_address": "192.0.2.9"}
    asked = visit(admin, "/queue/confirm", ALPHA, form=form).text
    assert "all mail brought by 192.0.2.9" in asked
    odd = visit(admin, "/queue?from_address=192.0.2.1/24", ALPHA)
    assert odd.status_code == 422
    assert "is it 192.0.2.1 or 192.0.2.0/24?" in odd.text


@pytest.mark.parametrize(
    "query",
    ["told=Call+0900+1234+at+once", "told=delete&done=99999&of=3"],
)
def test_a_link_claims_no_action_that_was_not_done(query: str) -> None:
    text = visit(with_mail(), f"/queue?{query}", ALPHA).text
    assert 'role="status"' not in text
    assert "0900" not in text
    assert "99" not in text


def test_a_refresh_keeps_what_is_ticked() -> None:
    admin = with_mail()
    second = left(admin)[1]
    text = visit(admin, f"/queue?name={second}", ALPHA).text
    assert re.findall(r'value="([^"]+)" aria-label="[^"]*" checked', text) == [second]
    assert "<span data-ticked>1</span>" in text


def test_the_question_repeats_count_filter_and_reason_and_changes_nothing() -> None:
    admin = with_mail()
    form = {"action": "delete", "scope": "all", "recipient": "user?@*", "reason": "tests"}
    text = visit(admin, "/queue/confirm", ALPHA, form=form).text
    assert "Delete 3 messages?" in text
    assert "all mail to user?@*" in text
    assert 'name="reason" value="tests"' in text
    line = (
        "restante queue delete --domain alpha.example --recipient &#39;user?@*&#39; --reason tests"
    )
    assert line in text
    assert len(left(admin)) == 3


def test_all_that_match_leaves_mail_alone_that_came_after_the_question() -> None:
    admin = with_mail()
    form = {"action": "delete", "scope": "all", "reason": "tests"}
    asked = visit(admin, "/queue/confirm", ALPHA, form=form).text
    [last] = re.findall(r'name="last" value="([^"]+)"', asked)
    asyncio.run(admin.hold(99, 1, "late@alpha.example"))
    done = visit(admin, "/queue/carry-out", ALPHA, form={**form, "last": last})
    assert done.status_code == 303
    told = after(admin, done)
    assert '<p class="told" role="status">3 messages were deleted.</p>' in told
    assert len(left(admin)) == 1


def test_ticked_messages_alone_are_deleted() -> None:
    admin = with_mail()
    first, *rest = left(admin)
    form = {"action": "delete", "names": first, "reason": "tests"}
    assert visit(admin, "/queue/carry-out", ALPHA, form=form).status_code == 303
    assert left(admin) == rest
    again = visit(admin, "/queue/carry-out", ALPHA, form=form)
    told = after(admin, again)
    assert "0 messages were deleted; 1 needed no change, or left in the meantime." in told


def test_a_release_of_refused_mail_leaves_uncertain_recipients_alone() -> None:
    """Their mail may have arrived: it would arrive twice."""
    admin = hosting()

    async def story() -> None:
        mail = Envelope("a@sender.example", ("one@alpha.example", "two@alpha.example"))
        await admin.store.reception.hold([NewMessage(1, 1, mail, NOW, HEAD)])
        drain = await opened(admin.store, 1, NOW, NOW + 60)
        moves = (RecipientMove.REFUSED, RecipientMove.UNCERTAIN)
        outcomes = [RecipientOutcome(*one) for one in zip(mail.forward_paths, moves, strict=True)]
        await admin.store.handover.settle(drain, [MessageOutcome(1, tuple(outcomes))], at=NOW)

    asyncio.run(story())
    form = {"action": "release", "names": message_name(1), "status": "refused"}
    asked = visit(admin, "/queue/confirm", ALPHA, form=form).text
    assert f"restante queue release {message_name(1)} --status refused" in asked
    assert "arrives twice" not in asked
    visit(admin, "/queue/carry-out", ALPHA, form=form)
    text = visit(admin, "/queue", ALPHA).text
    assert re.findall(r'class="state [a-z]*">(\w+)</span>', text) == ["held", "uncertain"]
    asked = visit(admin, "/queue/confirm", ALPHA, form={**form, "status": ""}).text
    assert "arrives twice" in asked


def test_the_list_has_the_commands_that_list_the_same() -> None:
    text = visit(with_mail(), "/queue?recipient=user2@*&hours=1", ALPHA).text
    assert "restante queue list --recipient &#39;user2@*&#39; --older 3600s" in text
    assert "/v1/queue?recipient=user2%40%2A&amp;older=3600.0" in text


def test_a_bounce_and_a_deletion_need_a_reason() -> None:
    admin = with_mail()
    for action in ("bounce", "delete"):
        form = {"action": action, "names": left(admin)[0]}
        assert visit(admin, "/queue/carry-out", ALPHA, form=form).status_code == 400
    assert len(left(admin)) == 3


def test_names_of_another_account_change_nothing() -> None:
    admin = with_mail()
    form = {"action": "delete", "names": " ".join(left(admin)), "reason": "mine"}
    visit(admin, "/queue/carry-out", BETA, form=form)
    assert len(left(admin)) == 3


def test_a_reader_changes_nothing() -> None:
    admin = with_mail()
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    form = {"action": "delete", "names": left(admin)[0], "reason": "mine"}
    for path in ("/queue/confirm", "/queue/carry-out"):
        assert visit(admin, path, reader, form=form).status_code == 403
    text = visit(admin, "/queue", reader).text
    assert f"/messages/{left(admin)[0]}" in text
    for part in ('value="delete"', "Act on", 'type="checkbox"', "ticked"):
        assert part not in text


def test_many_small_deletions_need_a_recent_factor_too() -> None:
    admin = with_mail(STEP_UP_FROM + 2)
    names = [message_name(number) for number in range(1, STEP_UP_FROM + 3)]
    parts = names[:60], names[60:STEP_UP_FROM], names[STEP_UP_FROM:]
    answers: list[int] = []
    for part in (*parts, parts[2]):
        is_fresh = len(answers) == len(parts)
        form = {"action": "delete", "name": part, "reason": "spam"}
        until = NOW + 300 if is_fresh else NOW - 1
        visit(admin, "/queue/carry-out", ALPHA, form=form, fresh_until=until)
        answers.append(len(left(admin)))
    assert answers == [42, 2, 2, 0]


def test_many_deletions_need_a_recent_factor() -> None:
    admin = with_mail(STEP_UP_FROM + 1)
    form = {"action": "delete", "scope": "all", "reason": "tests"}
    sent = visit(admin, "/queue/carry-out", ALPHA, form=form, fresh_until=NOW - 1)
    assert sent.status_code == 307
    assert sent.headers["location"].startswith("/step-up/keep?question=%2Fqueue%2Fconfirm")
    asked = visit(admin, "/queue/confirm", ALPHA, form=form, fresh_until=NOW - 1)
    assert asked.headers["location"].startswith("/step-up/keep?question=%2Fqueue%2Fconfirm&")
    assert "tests" not in asked.headers["location"]
    assert len(left(admin)) == 100
    done = visit(admin, "/queue/carry-out", ALPHA, form=form)
    assert done.headers["location"].startswith("/queue?")
    assert left(admin) == []


def test_an_old_form_is_not_carried_out_and_its_question_comes_again() -> None:
    """A step-up in another tab changes the token of all forms."""
    admin = with_mail()
    form = {"action": "delete", "scope": "all", "reason": "spam <b>wave</b>", "csrf": "old"}
    sent = visit(admin, "/queue/carry-out", ALPHA, form=form)
    assert (sent.status_code, sent.headers["location"]) == (307, "/queue/confirm?again=1")
    asked = visit(admin, sent.headers["location"], ALPHA, form=form).text
    assert "Nothing has been done yet" in asked
    assert 'name="reason" value="spam &lt;b&gt;wave&lt;/b&gt;"' in asked
    assert len(left(admin)) == 3


def test_an_empty_selection_and_an_unknown_action_get_an_answer() -> None:
    admin = with_mail()
    assert visit(admin, "/queue/confirm", ALPHA).headers["location"] == "/queue"
    assert visit(admin, "/queue/confirm", ALPHA, form={"action": "delete"}).status_code == 400
    assert visit(admin, "/queue/confirm", ALPHA, form={"action": "burn"}).status_code == 422


def test_a_stranger_s_address_is_text() -> None:
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example", reverse_path=EVIL))
    text = visit(admin, "/queue", ALPHA).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_mail_deferred_by_a_policy_is_told() -> None:
    admin = with_mail()

    async def defer() -> None:
        drain = await opened(admin.store, 1)
        [one] = await admin.store.handover.held(1, 0, 1, 1)
        path = one.envelope.forward_paths[0]
        deferred = RecipientOutcome(path, RecipientMove.DEFERRED, "450 4.7.1 <b>not now</b>")
        outcome = MessageOutcome(one.number, (deferred,), deferrals=PolicyDeferrals(4, 7))
        await admin.store.handover.settle(drain, [outcome])
        names.append(message_name(one.number))

    names: list[str] = []
    asyncio.run(defer())
    text = visit(admin, "/queue", ALPHA).text
    assert text.count('<span class="state warn">deferred in 4 drains</span>') == 1
    text = visit(admin, f"/messages/{names[0]}", ALPHA).text
    assert "Deferred by a policy of the destination in 4 drains" in text
    assert "450 4.7.1 &lt;b&gt;not now&lt;/b&gt;" in text
    assert "a policy of the primary defers 1 message" in visit(admin, "/", ALPHA).text


def test_suspect_mail_is_told_with_its_signs() -> None:
    admin = with_mail()

    async def hold() -> None:
        mail = Envelope("a@sender.example", ("user9@alpha.example",), is_suspect=True)
        origin = MessageOrigin("192.0.2.9", 4711, "mx", verdicts={"dnsbl": "suspect; listed"})
        await admin.store.reception.hold([NewMessage(77, 1, mail, NOW, HEAD, origin=origin)])

    asyncio.run(hold())
    assert visit(admin, "/queue", ALPHA).text.count('<span class="state warn">suspect</span>') == 1
    text = visit(admin, f"/messages/{message_name(77)}", ALPHA).text
    assert "Marked as suspect, so it leaves last" in text
    assert "dnsbl: suspect; listed" in text
