"""Notices that were sent or given up, and sending one again."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channels import add_channel, try_channel
from restante.admin.past_notices import PastSelection, SentAgain, list_past, send_again
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind, PastNotice
from tests.admin.admin_world import NOW, AdminWorld, all_of, run
from tests.admin.channel_making import admin_with_alpha, hook, mail


@pytest.fixture
def admin() -> AdminWorld:
    """Return an admin world: channels of alpha and of the operator have each sent a notice."""
    admin = admin_with_alpha()
    run(add_channel(admin.context, hook(account="alpha")))
    run(add_channel(admin.context, mail("ops@example.org")))
    for channel in admin.context.directory.now.channels.values():
        facts = NoticeFacts(NoticeKind.QUOTA_REACHED, channel.account, "x", "It is full.", NOW)
        sent = PastNotice(
            0, channel.id, f"of-{channel.name}", facts, 0, NOW, is_sent=True, failures=1, reply="ok"
        )
        run(admin.store.notices.settle_notices([], [sent]))
    return admin


def ids(admin: AdminWorld, **wanted: str | int) -> list[str]:
    return [
        one.id
        for one in run(all_of(list_past(admin.context, PastSelection.model_validate(wanted))))
    ]


def test_they_are_listed_newest_first(admin: AdminWorld) -> None:
    assert ids(admin) == ["of-mail", "of-hook"]
    assert ids(admin, account="alpha") == ["of-hook"]
    assert ids(admin, account="") == ["of-mail"]
    assert ids(admin, account="alpha", channel="hook") == ["of-hook"]
    assert ids(admin, channel="mail") == ["of-mail"]
    assert ids(admin, limit=1) == ["of-mail"]
    assert ids(admin, after="2") == ["of-hook"]


def test_a_view_has_the_result(admin: AdminWorld) -> None:
    [view] = run(all_of(list_past(admin.context, PastSelection(account="alpha"))))
    assert (view.channel, view.account, view.kind) == ("hook", "alpha", "quota-reached")
    assert (view.text, view.is_sent, view.failures, view.reply) == ("It is full.", True, 1, "ok")


@pytest.mark.parametrize("wanted", [{"account": "beta"}, {"account": "alpha", "channel": "x"}])
def test_an_unknown_account_or_channel_is_named(admin: AdminWorld, wanted: dict[str, str]) -> None:
    with pytest.raises(AdminError) as refusal:
        ids(admin, **wanted)
    assert refusal.value.kind is ErrorKind.NOT_FOUND


def test_one_is_sent_again_under_its_id(admin: AdminWorld) -> None:
    assert admin.server
    run(send_again(admin.context, "alpha", "hook", SentAgain(id="of-hook")))
    [waiting] = run(admin.store.notices.list_notices(9))
    assert (waiting.key, waiting.facts.text, waiting.failures) == ("of-hook", "It is full.", 0)
    assert admin.server.notices_sent == 1


def test_no_waiting_notice_is_dropped_for_one_that_is_sent_again(admin: AdminWorld) -> None:
    [channel] = admin.context.directory.now.channels_of("alpha")
    facts = NoticeFacts(NoticeKind.QUOTA_REACHED, "alpha", "x", "It is full.", NOW)
    waiting = [NewNotice(channel.id, str(number), facts, 0, NOW) for number in range(1200)]
    run(admin.store.notices.keep_notices(waiting, [], [], 5000))
    run(send_again(admin.context, "alpha", "hook", SentAgain(id="of-hook")))
    assert len(run(admin.store.notices.list_notices(5000))) == 1201


def test_a_notice_of_another_channel_is_not_sent(admin: AdminWorld) -> None:
    with pytest.raises(AdminError, match="not among the last 200"):
        run(send_again(admin.context, "alpha", "hook", SentAgain(id="of-mail")))
    assert run(admin.store.notices.list_notices(9)) == []


def test_a_test_stands_in_the_list(admin: AdminWorld) -> None:
    run(try_channel(admin.context, "alpha", "hook"))
    [newest, _] = run(all_of(list_past(admin.context, PastSelection(account="alpha"))))
    assert (newest.kind, newest.is_sent) == ("test", True)
