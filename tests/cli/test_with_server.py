"""The same commands when a server answers on the control socket."""

import asyncio
import json
import os
import pwd
import re

import pytest

from restante.admin.admin_context import ConfigurationState, Vitals
from restante.mail.dsn_request import DsnRequest, RecipientRequest, Ret, parse_notify
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import Move
from restante.store.mail_handover import PastDrain
from restante.tenancy.notice import Channel, NewNotice, NoticeFacts, NoticeKind, Transport
from tests.admin.desk import HEAD, NOW, Desk, run
from tests.cli.conftest import Command
from tests.contract.making import opened
from tests.wire import audit


def test_a_change_reaches_the_server(desk: Desk, command: Command) -> None:
    assert command("account", "add", "beta").code == 0
    assert command("domain", "set", "alpha.example", "--connections", "2").code == 0
    assert "beta" in desk.context.directory.now.accounts
    assert desk.context.directory.now.domains["alpha.example"].destination.connections == 2


def test_the_last_drain_and_a_suspension_are_shown_wherever_mail_waits(
    desk: Desk, command: Command
) -> None:
    async def drained() -> None:
        domain_id = desk.context.directory.now.domains["alpha.example"].id
        drain = await opened(desk.store, domain_id, NOW, NOW)
        past = PastDrain(
            NOW, NOW, "operator", "given up", "patience is over", 5, 1, 2, "421 4.3.2 bye", 3
        )
        await desk.store.handover.close_drain(drain, past)

    run(drained())
    text = (
        "asked for by operator: patience is over; 5 delivered; 1 deferred; 2 refused; 3 uncertain;"
        " last error: 421 4.3.2 bye"
    )
    for words in (
        ("status",),
        ("domain", "show", "alpha.example"),
        ("queue", "list", "alpha.example"),
    ):
        assert text in " ".join(command(*words).out.split()), words
    assert (
        json.loads(command("status", "--json").out)["domains"][0]["last_drain"]["end"] == "given up"
    )
    assert (
        json.loads(command("domain", "show", "alpha.example", "--json").out)["last_drain"][
            "deferred"
        ]
        == 1
    )
    assert (
        command(
            "domain", "set", "alpha.example", "--hold", "suspended", "--reason", "not paid"
        ).code
        == 0
    )
    assert "suspended not paid" in command("status").out
    assert "alpha.example is suspended: not paid\n" in command("queue", "list", "alpha.example").out


def test_drains_are_listed_and_stopped(desk: Desk, command: Command) -> None:
    shown = command("drain", "list").out
    assert "alpha.example  delivering" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert json.loads(command("drain", "list", "--json").out)[0]["state"] == "delivering"
    stopped = command("drain", "stop", "ALPHA.example", "--reason", "they asked")
    assert (
        stopped.out
        == "alpha.example: the drain stops after 5 messages handed over; the rest stays held\n"
    )
    assert desk.server
    assert desk.server.stopped[0][1] == "stopped by the operator: they asked"
    assert (
        json.loads(command("drain", "stop", "alpha.example", "--json").out)["domain"]
        == "alpha.example"
    )
    actions = json.loads(command("audit", "--json").out)
    assert [(one["action"], one["reason"]) for one in actions[:2]] == [
        ("drain-stopped", ""),
        ("drain-stopped", "they asked"),
    ]
    assert command("drain", "stop", "unknown.example").code == 66


def test_the_trail_says_who_changed_what_and_why(desk: Desk, command: Command) -> None:
    changed = command(
        "domain", "set", "alpha.example", "--connections", "2", "--reason", "it has little room"
    )
    assert changed.out == "domain alpha.example changed\n  destination.connections: 20 → 2\n"
    [entry] = json.loads(
        command("audit", "--domain", "Alpha.Example", "--action", "domain-changed", "--json").out
    )
    assert entry["actor"] == f"operator {pwd.getpwuid(os.getuid()).pw_name}"
    assert (entry["origin"], entry["reason"]) == ("control socket", "it has little room")
    assert entry["changes"] == [{"field": "destination.connections", "before": "20", "after": "2"}]
    *shown, _, _ = command("audit", "--limit", "1").out.splitlines()
    assert shown[0].endswith("domain-changed  alpha.example")
    by = f"    by {entry['actor']}, control socket; it has little room; "
    assert shown[1].startswith(by)
    assert shown[1][len(by) :].rstrip("…") in "destination.connections: 20 → 2"
    *whole, _, _ = command("audit", "--limit", "1", "--verbose").out.splitlines()
    assert whole[-2:] == ["    it has little room", "    destination.connections: 20 → 2"]


def test_what_changes_nothing_leaves_no_entry_and_no_drain_ends(
    desk: Desk, command: Command
) -> None:
    entries = len(json.loads(command("audit", "--json").out))
    stopped = list(desk.server.stopped) if desk.server else []
    for words in (
        ("domain", "set", "alpha.example", "--connections", "20"),
        ("account", "set", "alpha", "--note", ""),
        ("recipient", "replace", "alpha.example", "--file", "/dev/null"),
    ):
        ended = command(*words)
        assert (ended.code, "changed\n" in ended.out) == (0, False), words
    assert len(json.loads(command("audit", "--json").out)) == entries
    assert desk.server
    assert desk.server.stopped == stopped


LONG = ".".join(["l" * 63, "m" * 63, "n" * 63, "example"])  # 199 octets
LONG_VIEWS = [
    ("status",),
    ("status", LONG),
    ("status", "--all"),
    ("top", "--once"),
    ("queue", "list"),
    ("queue", "list", LONG),
    ("queue", "show", "1j"),
    ("domain", "list"),
    ("domain", "show", LONG),
    ("account", "list"),
    ("account", "show", "a" * 60),
    ("login", "list", "a" * 60),
    ("notice", "list"),
    ("drain", "list"),
    ("report", "list"),
    ("recipient", "list", LONG),
    ("audit",),
    ("audit", "--verbose"),
]


@pytest.mark.parametrize("words", LONG_VIEWS, ids=" ".join)
def test_whatever_the_names_no_line_of_a_view_is_wider_than_the_screen(
    desk: Desk, command: Command, words: tuple[str, ...]
) -> None:
    v6 = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"
    number = asyncio.run(desk.host(LONG, "a" * 60, destination=v6, allow=("2001:db8::/32", LONG)))
    asyncio.run(desk.hold(50, number, f"{'u' * 64}@{LONG}", reverse_path=f"{'r' * 64}@{LONG}"))
    asyncio.run(desk.refuse(50, number, f"{'u' * 64}@{LONG}", "550 5.1.1 " + "x" * 300))
    assert command("recipient", "add", LONG, "v" * 64).code == 0
    url = f"https://{LONG}/{'h' * 60}"
    assert command("notice", "add", "n" * 60, "--account", "a" * 60, "--webhook", url).code == 0
    shown = command(*words)
    assert shown.code == 0
    tables = [line for line in shown.out.splitlines() if not line.startswith(("warning", "mx2"))]
    assert max(map(len, tables)) <= 80


def test_an_entry_about_a_domain_takes_two_lines(desk: Desk, command: Command) -> None:
    asyncio.run(desk.host(LONG, "long"))
    *shown, _, _ = command("audit", "--action", "domain-added", "--limit", "1").out.splitlines()
    assert [len(line) <= 80 for line in shown] == [True, True]
    assert re.fullmatch(r".*  domain-added  l+…[ln.]+\.example", shown[0])
    assert re.fullmatch(r"    by operator.*control socket; .*…", shown[1])
    whole = command("audit", "--action", "domain-added", "--limit", "1", "--verbose").out
    assert LONG in "".join(whole.split())


def test_an_entry_about_many_messages_names_three(desk: Desk, command: Command) -> None:
    number = desk.context.directory.now.domains["alpha.example"].id
    for message in range(40, 46):
        asyncio.run(desk.hold(message, number, "x@alpha.example"))
    command("queue", "delete", "--domain", "alpha.example", "--reason", "spam", "--yes")
    [line, reason, _, count] = command("audit", "--limit", "1").out.splitlines()
    assert line.endswith(" and 5 more (alpha.example)")
    assert reason.startswith("    by operator ")
    assert reason.endswith("; spam")
    assert count == "1 entry"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--since", "yesterday"), 64),
        (("--action", "domain-eaten"), 64),
        (("--domain", "a b"), 65),
        (("--since", "2d", "--until", "2026-01-01"), 0),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    desk: Desk, command: Command, words: tuple[str, ...], code: int
) -> None:
    assert command("audit", *words).code == code


def test_release_tells_each_answer_and_exits_with_the_worst(desk: Desk, command: Command) -> None:
    released = command("release", "alpha.example", "--reason", "by phone")
    assert released.code == 0
    assert (
        released.out == "alpha.example: 253 OK, 2 pending messages for node alpha.example started\n"
    )
    assert command("release", "unknown.example", "alpha.example").code == 77


def test_status_shows_drains_and_listeners(desk: Desk, command: Command) -> None:
    shown = command("status").out
    assert "delivering" in shown
    assert "0.0.0.0:25" in shown
    assert "1 message held, 1 refused" in shown
    assert "to be sent" not in shown


def test_status_tells_of_a_failed_reload_and_of_what_waits_for_a_restart(
    desk: Desk, command: Command
) -> None:
    assert desk.server
    assert "restart" not in command("status").out
    desk.server.state = ConfigurationState(
        NOW - 600, restart_for=("hostname", "listen mx 0.0.0.0:25")
    )
    desk.server.state = desk.server.state.failed(NOW - 60, "line one\nline two")
    shown = command("status").out
    assert shown.startswith(
        "mx2.example.net: WARNING\n"
        "warning: the last reload failed and changed nothing: line one; line two\n"
        "warning: a restart is needed for hostname, listen mx 0.0.0.0:25\n"
    )
    told = json.loads(command("status", "--json").out)["configuration"]
    assert told["restart_for"] == ["hostname", "listen mx 0.0.0.0:25"]
    assert told["read_at"] < told["reload_failed_at"]


@pytest.mark.parametrize(
    ("condition", "code", "line"),
    [
        (
            Vitals(is_room_short=False, certificate_expires_at=NOW + 1e7),
            0,
            "RESTANTE OK - 1 message held, 1 refused",
        ),
        (
            Vitals(is_room_short=False, certificate_expires_at=NOW + 90000),
            1,
            "RESTANTE WARNING - a certificate expires in 1 day",
        ),
        (
            Vitals(is_room_short=True, certificate_expires_at=NOW + 1e7),
            2,
            "RESTANTE CRITICAL - no mail is taken: ",
        ),
    ],
)
def test_a_monitoring_system_gets_one_line_and_a_code(
    desk: Desk, command: Command, condition: Vitals, code: int, line: str
) -> None:
    assert desk.server
    desk.server.condition = condition
    checked = command("status", "--check")
    assert (checked.code, checked.out.startswith(line)) == (code, True), checked.out
    assert checked.out.endswith(
        " | held=1 refused=1 uncertain=0 damaged=0 octets=180B oldest=3600s drains=1\n"
    )


def test_uncertain_mail_is_named_wherever_amounts_are(desk: Desk, command: Command) -> None:
    alpha = desk.context.directory.now.domains["alpha.example"].id
    asyncio.run(desk.refuse(33, alpha, "x@alpha.example", "cut off", Move.UNCERTAIN))
    shown = command("status").out
    assert "0 messages held, 1 refused, 1 uncertain" in shown
    assert "warning: 1 message is uncertain, the destination may have them" in shown
    assert "UNCERTAIN" in shown
    assert "DAMAGED" not in shown
    told = json.loads(command("status", "--json").out)
    assert (told["held"], told["refused"], told["uncertain"]) == (0, 1, 1)
    one = told["domains"][0]
    assert (one["held"], one["refused"], one["uncertain"], one["damaged"]) == (0, 1, 1, 0)
    assert "uncertain          1" in command("domain", "show", "alpha.example").out
    assert "uncertain 1" in command("domain", "list").out.lower()
    assert " refused=1 uncertain=1 " in command("status", "--check").out


def test_a_drain_has_a_count_of_uncertain_mail_where_there_is_some(
    desk: Desk, command: Command
) -> None:
    assert desk.server
    assert "UNCERTAIN" not in command("drain", "list").out
    desk.server.uncertain = 4
    assert "UNCERTAIN" in command("drain", "list").out
    assert "UNCERTAIN" in command("status").out
    [drain] = json.loads(command("drain", "list", "--json").out)
    assert (drain["refused"], drain["uncertain"]) == (0, 4)


def test_domains_are_chosen(desk: Desk, command: Command) -> None:
    asyncio.run(desk.host("idle.example", "beta"))
    assert (
        "\n1 other domain has no mail and no problems (--all shows all)\n" in command("status").out
    )
    assert "idle.example" in command("status", "--all").out
    assert "idle.example" in command("status", "idle.example").out
    assert (
        "\nalpha.example"
        not in command("status", "--account", "beta", "--all").out.split("DRAIN")[0]
    )
    assert command("status", "none.example").code == 66


def notice(channel_id: int, at: float) -> NewNotice:
    return NewNotice(
        channel_id,
        "key",
        NoticeFacts(NoticeKind.DELIVERY_REFUSED, "", "alpha.example", "text", at),
        0,
        at,
    )


def test_status_tells_what_waits_to_be_told_and_for_how_long(desk: Desk, command: Command) -> None:
    channel = Channel(0, "", "ops", Transport.MAIL, "ops@example.org", None, frozenset(), 1.0)
    number = asyncio.run(desk.store.records.put_channel(channel, audit())).id
    command("queue", "bounce", "12", "--reason", "no such mailbox", "--yes")
    asyncio.run(desk.store.notices.keep_notices([notice(number, NOW - 7200)], [], [], 9))
    shown = command("status").out
    assert (
        "\n1 report to a sender waits to be sent, for 0s\n1 notice waits to be sent, for 2h 00m\n"
        in shown
    )
    asyncio.run(desk.hold(35, asyncio.run(desk.host("beta.example", "beta")), "x@beta.example"))
    command("queue", "bounce", "13", "--reason", "no such mailbox", "--yes")
    asyncio.run(desk.store.notices.keep_notices([notice(number, NOW - 60)], [], [], 9))
    shown = command("status").out
    assert "\n2 reports to senders wait to be sent, the oldest for 0s\n" in shown
    assert "\n2 notices wait to be sent, the oldest for 2h 00m\n" in shown
    view = json.loads(command("status", "--json").out)
    assert view["reports"] == {"waiting": 2, "oldest_at": view["at"]}
    assert (view["notices"]["waiting"], view["notices"]["oldest_at"] < view["at"]) == (2, True)
    heads = " ".join(command("top", "--once").out.split())
    assert "sessions: 7; waiting: 2 reports, 2 notices DOMAIN" in heads


def test_the_queue_is_shown_and_changed(desk: Desk, command: Command) -> None:
    assert "refused" in command("queue", "list", "--status", "refused").out
    shown = command("queue", "show", "12").out
    assert "x@alpha.example> refused: 550 5.7.1" in shown
    assert "\nReceived: from a by b; now\nSubject: x\n" in f"{shown}"
    assert "business" not in shown
    assert command("queue", "release", "12").out == "1 message held again\n"
    deleted = command("queue", "delete", "11", "zzz", "--reason", "spam", "--yes")
    assert (deleted.code, deleted.out) == (66, "1 message deleted\n")
    assert [message["name"] for message in json.loads(command("queue", "list", "--json").out)] == [
        "12"
    ]


def test_the_origin_of_a_message_is_shown_if_it_is_known(desk: Desk, command: Command) -> None:
    assert "not known" in command("queue", "show", "12").out
    number = desk.context.directory.now.domains["alpha.example"].id
    origin = MessageOrigin("192.0.2.9", 4711, "mx.b.example", "", "host.example", {"filter": "x"})
    envelope = Envelope("", ("x@alpha.example",))
    message = NewMessage(60, number, envelope, NOW, HEAD, origin=origin, message_id="<1@b.example>")
    asyncio.run(hold_one(desk, message))
    lines = command("queue", "show", "1w").out.splitlines()
    shown = {name: value.strip() for name, _, value in (line.partition(" ") for line in lines)}
    assert shown["message-id"] == "<1@b.example>"
    assert shown["origin"] == "host.example [192.0.2.9] port 4711"
    assert (shown["hello"], shown["tls"]) == ("mx.b.example", "none")
    assert shown["check"] == "filter: x"
    view = json.loads(command("queue", "show", "1w", "--json").out)
    assert view["message_id"] == "<1@b.example>"
    assert view["origin"]["verdicts"] == {"filter": "x"}


async def hold_one(desk: Desk, message: NewMessage) -> None:
    assert await desk.store.reception.hold([message]) == {}


def test_mail_is_bounced_from_the_command_line(desk: Desk, command: Command) -> None:
    refused = command("queue", "bounce", "12", "--reason", "no such mailbox")
    assert (refused.code, refused.err) == (
        64,
        (
            "restante: queue bounce: 1 message: cannot ask for confirmation without a terminal;"
            " pass --yes\n"
        ),
    )
    done = command("queue", "bounce", "12", "zzz", "--reason", "no such mailbox", "--yes")
    assert (done.code, done.out) == (66, "1 message bounced, 1 sender gets a report\n")
    assert "message zzz: is not in the queue" in done.err
    assert [message["name"] for message in json.loads(command("queue", "list", "--json").out)] == [
        "11"
    ]


def test_of_those_bounced_the_senders_who_cannot_be_told_are_counted(
    desk: Desk, command: Command
) -> None:
    number = desk.context.directory.now.domains["alpha.example"].id
    for message, path in ((50, ""), (51, "a@sender.example")):
        asyncio.run(desk.hold(message, number, "x@alpha.example", reverse_path=path))
        asyncio.run(desk.refuse(message, number, "x@alpha.example", "550 5.1.1 no such user"))
    done = command("queue", "bounce", "1j", "1k", "--reason", "no such mailbox", "--yes")
    assert done.out == (
        "2 messages bounced, 1 sender gets a report, "
        "1 sender gets no report (null or suspect reverse-path, or NOTIFY=NEVER)\n"
    )


def test_one_named_message_is_deleted_without_a_question(desk: Desk, command: Command) -> None:
    assert command("queue", "delete", "11", "--reason", "spam").out == "1 message deleted\n"
    refused = command("queue", "delete", "11", "12", "--reason", "spam")
    assert (refused.code, "cannot ask for confirmation" in refused.err) == (64, True)


def test_a_value_that_is_none_is_answered_with_the_choices(desk: Desk, command: Command) -> None:
    ended = command("queue", "list", "--status", "bogus")
    assert (ended.code, "Value error" in ended.err) == (64, False)
    assert "'held'" in ended.err
    assert "'refused'" in ended.err


def test_a_largest_message_above_the_servers_own_limit_is_refused(
    desk: Desk, command: Command
) -> None:
    refused = command("domain", "set", "alpha.example", "--message-size", "60M")
    assert (refused.code, "above the server's own limit of 50000000 octets" in refused.err) == (
        65,
        True,
    )
    assert command("domain", "set", "alpha.example", "--message-size", "40M").code == 0


def test_a_channel_that_hears_of_everything_says_all(desk: Desk, command: Command) -> None:
    command("notice", "add", "one", "--account", "alpha", "--mail", "ops@example.org")
    command(
        "notice",
        "add",
        "two",
        "--account",
        "alpha",
        "--mail",
        "ops@example.org",
        "--only",
        "delivery-refused",
    )
    [_, one, two, *_] = command("notice", "list").out.splitlines()
    assert (one.split()[-1], two.split()[-1]) == ("all", "delivery-refused")


def test_what_the_sender_asked_about_reports_is_shown(desk: Desk, command: Command) -> None:
    number = desk.context.directory.now.domains["alpha.example"].id
    wishes = RecipientRequest(notify=parse_notify("SUCCESS,DELAY"), original="rfc822;x@old.example")
    dsn = DsnRequest(Ret.FULL, "id-1", {"x@alpha.example": wishes})
    asyncio.run(desk.hold(50, number, "x@alpha.example", dsn=dsn))
    shown = command("queue", "show", "1j").out
    assert "\nreports       RET=FULL, ENVID=id-1\n" in shown
    wanted = "<x@alpha.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@old.example held"
    assert wanted in " ".join(shown.split())


def test_a_full_page_says_that_there_may_be_more(desk: Desk, command: Command) -> None:
    assert (
        "2 messages are shown, there may be more; raise --limit"
        in command("queue", "list", "--limit", "2").err
    )
    assert (
        "1 message is shown, there may be more; raise --limit"
        in command("queue", "list", "--limit", "1").err
    )


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_strangers_wrote_never_controls_the_terminal(
    desk: Desk, command: Command, monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    shown = command("queue", "list").out + command("queue", "show", "12").out
    assert "\\x1b[31m@evil" in shown.replace("\n", "")
    assert "\x1b[31m" not in shown
    assert "[bold]mail[/bold]\\x07" in shown
