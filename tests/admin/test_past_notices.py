"""Notices that were sent or given up, and sending one again."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channels import add_channel, try_channel
from restante.admin.past_notices import PastSelection, SentAgain, list_past, send_again
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind, PastNotice
from tests.admin.channel_making import desk_with_alpha, hook, mail
from tests.admin.desk import NOW, Desk, all_of, run


@pytest.fixture
def desk() -> Desk:
    """Return a desk whose channels, of alpha and of the operator, have each sent a notice."""
    desk = desk_with_alpha()
    run(add_channel(desk.context, hook(account="alpha")))
    run(add_channel(desk.context, mail("ops@example.org")))
    for channel in desk.context.directory.now.channels.values():
        facts = NoticeFacts(NoticeKind.QUOTA_REACHED, channel.account, "x", "It is full.", NOW)
        sent = PastNotice(
            0, channel.id, f"of-{channel.name}", facts, 0, NOW, is_sent=True, failures=1, reply="ok"
        )
        run(desk.store.notices.settle_notices([], [sent]))
    return desk


def ids(desk: Desk, **wanted: str | int) -> list[str]:
    return [
        one.id for one in run(all_of(list_past(desk.context, PastSelection.model_validate(wanted))))
    ]


def test_they_are_listed_newest_first(desk: Desk) -> None:
    assert ids(desk) == ["of-mail", "of-hook"]
    assert ids(desk, account="alpha") == ["of-hook"]
    assert ids(desk, account="") == ["of-mail"]
    assert ids(desk, account="alpha", channel="hook") == ["of-hook"]
    assert ids(desk, channel="mail") == ["of-mail"]
    assert ids(desk, limit=1) == ["of-mail"]
    assert ids(desk, after="2") == ["of-hook"]


def test_a_view_has_the_result(desk: Desk) -> None:
    [view] = run(all_of(list_past(desk.context, PastSelection(account="alpha"))))
    assert (view.channel, view.account, view.kind) == ("hook", "alpha", "quota-reached")
    assert (view.text, view.is_sent, view.failures, view.reply) == ("It is full.", True, 1, "ok")


@pytest.mark.parametrize("wanted", [{"account": "beta"}, {"account": "alpha", "channel": "x"}])
def test_an_unknown_account_or_channel_is_named(desk: Desk, wanted: dict[str, str]) -> None:
    with pytest.raises(AdminError) as refusal:
        ids(desk, **wanted)
    assert refusal.value.kind is ErrorKind.NOT_FOUND


def test_one_is_sent_again_under_its_id(desk: Desk) -> None:
    assert desk.server
    run(send_again(desk.context, "alpha", "hook", SentAgain(id="of-hook")))
    [waiting] = run(desk.store.notices.list_notices(9))
    assert (waiting.key, waiting.news.text, waiting.failures) == ("of-hook", "It is full.", 0)
    assert desk.server.notices_sent == 1


def test_no_waiting_notice_is_dropped_for_one_that_is_sent_again(desk: Desk) -> None:
    [channel] = desk.context.directory.now.channels_of("alpha")
    facts = NoticeFacts(NoticeKind.QUOTA_REACHED, "alpha", "x", "It is full.", NOW)
    waiting = [NewNotice(channel.id, str(number), facts, 0, NOW) for number in range(1200)]
    run(desk.store.notices.keep_notices(waiting, [], [], 5000))
    run(send_again(desk.context, "alpha", "hook", SentAgain(id="of-hook")))
    assert len(run(desk.store.notices.list_notices(5000))) == 1201


def test_a_notice_of_another_channel_is_not_sent(desk: Desk) -> None:
    with pytest.raises(AdminError, match="not among the last 200"):
        run(send_again(desk.context, "alpha", "hook", SentAgain(id="of-mail")))
    assert run(desk.store.notices.list_notices(9)) == []


def test_a_test_stands_in_the_list(desk: Desk) -> None:
    run(try_channel(desk.context, "alpha", "hook"))
    [newest, _] = run(all_of(list_past(desk.context, PastSelection(account="alpha"))))
    assert (newest.kind, newest.is_sent) == ("test", True)
