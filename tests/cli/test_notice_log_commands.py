"""Past notices on the command line."""

import json

from restante.tenancy.notice import NoticeFacts, NoticeKind, PastNotice
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.cli.conftest import Command


def sent(admin: AdminWorld, command: Command, count: int = 1) -> None:
    """Let the operator's channel have sent notices."""
    assert command("notice", "add", "mail", "--mail", "ops@example.org").code == 0
    [channel] = admin.context.directory.now.channels.values()
    facts = NoticeFacts(NoticeKind.QUOTA_REACHED, "", "x", "It is full.", NOW)
    past = [
        PastNotice(
            0, channel.id, f"id{n}", facts, 0, NOW, is_sent=n > 0, failures=n, reply="250 ok"
        )
        for n in range(count)
    ]
    run(admin.store.notices.settle_notices([], past))


def test_it_shows_the_result_and_the_reply(admin: AdminWorld, command: Command) -> None:
    sent(admin, command, 2)
    shown = command("notice", "log", "mail").out
    assert shown.index("sent") < shown.index("given up")
    assert " ok" in shown
    assert "2 notices" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_no_more_are_shown_than_asked_for(admin: AdminWorld, command: Command) -> None:
    sent(admin, command, 5)
    rows = json.loads(command("notice", "log", "--limit", "3", "--json").out)
    assert [row["id"] for row in rows] == ["id4", "id3", "id2"]


def test_one_is_sent_again(admin: AdminWorld, command: Command) -> None:
    sent(admin, command)
    assert "is sent again" in command("notice", "resend", "mail", "id0").out
    assert [one.key for one in run(admin.store.notices.list_notices(9))] == ["id0"]


def test_an_unknown_notice_is_named(admin: AdminWorld, command: Command) -> None:
    sent(admin, command)
    refused = command("notice", "resend", "mail", "nothing")
    assert refused.code != 0
    assert "nothing: not among the last 200" in refused.err
