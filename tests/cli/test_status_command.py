"""The status: mail, drains, listeners and health, and one line for a monitoring system."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from restante.admin import server_status
from restante.admin.admin_context import DoorFacts, ServerVitals
from restante.admin.configuration_state import ConfigurationState
from restante.cli import api_client, status_command, top
from restante.queue.drain_word import DrainEnd
from restante.queue.recipient_status import RecipientMove
from restante.reception.doorkeeper import ShedCause
from restante.store.handover_store import PastDrain
from restante.tenancy.notice import Channel, ChannelTransport, NewNotice, NoticeFacts, NoticeKind
from restante.web.control_socket import open_control
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.cli.conftest import Command
from tests.contract.making import opened
from tests.wire import audit


def test_the_last_drain_and_a_suspension_are_shown_wherever_mail_waits(
    admin: AdminWorld, command: Command
) -> None:
    async def drained() -> None:
        domain_id = admin.context.directory.now.domains["alpha.example"].id
        drain = await opened(admin.store, domain_id, NOW, NOW)
        past = PastDrain(
            NOW,
            NOW,
            "operator",
            DrainEnd.GIVEN_UP,
            "the time for attempts is over",
            5,
            1,
            2,
            "421 4.3.2 bye",
            3,
        )
        await admin.store.handover.close_drain(drain, past)

    run(drained())
    text = (
        "asked for by operator: the time for attempts is over; 5 delivered; 1 deferred;"
        " 2 refused; 3 uncertain; last error: 421 4.3.2 bye"
    )
    for words in (
        ("status",),
        ("domain", "show", "alpha.example"),
        ("queue", "list", "alpha.example"),
    ):
        assert text in " ".join(command(*words).out.split()), words
    assert (
        json.loads(command("status", "--json").out)["domains"][0]["last_drain"]["end"] == "given-up"
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
    admin: AdminWorld, command: Command, words: tuple[str, ...]
) -> None:
    v6 = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"
    number = asyncio.run(admin.host(LONG, "a" * 60, destination=v6, allow=("2001:db8::/32", LONG)))
    asyncio.run(admin.hold(50, number, f"{'u' * 64}@{LONG}", reverse_path=f"{'r' * 64}@{LONG}"))
    asyncio.run(admin.refuse(50, number, f"{'u' * 64}@{LONG}", "550 5.1.1 " + "x" * 300))
    assert command("recipient", "add", LONG, "v" * 64).code == 0
    url = f"https://{LONG}/{'h' * 60}"
    assert command("notice", "add", "n" * 60, "--account", "a" * 60, "--webhook", url).code == 0
    shown = command(*words)
    assert shown.code == 0
    tables = [line for line in shown.out.splitlines() if not line.startswith(("warning", "mx2"))]
    assert max(map(len, tables)) <= 80


def test_status_shows_drains_and_listeners(admin: AdminWorld, command: Command) -> None:
    shown = command("status").out
    assert "delivering" in shown
    assert "0.0.0.0:25" in shown
    assert "1 message held, 1 refused" in shown
    assert "to be sent" not in shown


def test_status_tells_of_a_failed_reload_and_of_what_waits_for_a_restart(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    assert "restart" not in command("status").out
    admin.server.state = ConfigurationState(
        NOW - 600, restart_for=("hostname", "listen mx 0.0.0.0:25")
    )
    admin.server.state = admin.server.state.failed(NOW - 60, "line one\nline two")
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
            ServerVitals(is_room_short=False, certificate_expires_at=NOW + 1e7),
            0,
            "RESTANTE OK - 1 message held, 1 refused",
        ),
        (
            ServerVitals(is_room_short=False, certificate_expires_at=NOW + 90000),
            1,
            "RESTANTE WARNING - a certificate expires in 1 day",
        ),
        (
            ServerVitals(is_room_short=True, certificate_expires_at=NOW + 1e7),
            2,
            "RESTANTE CRITICAL - no mail is taken: ",
        ),
    ],
)
def test_a_monitoring_system_gets_one_line_and_a_code(
    admin: AdminWorld, command: Command, condition: ServerVitals, code: int, line: str
) -> None:
    assert admin.server
    admin.server.condition = condition
    checked = command("status", "--check")
    assert (checked.code, checked.out.startswith(line)) == (code, True), checked.out
    assert checked.out.endswith(
        " | held=1 refused=1 uncertain=0 damaged=0 octets=180B oldest=3600s drains=1\n"
    )


def test_the_disk_and_connections_turned_away_are_shown(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    assert "disk:" not in command("status").out
    assert "turned away" not in command("status").out
    shed = {ShedCause.SESSIONS: 2, ShedCause.CONNECTIONS_PER_MINUTE: 5}
    admin.server.condition = ServerVitals(
        is_room_short=False,
        certificate_expires_at=NOW + 1e7,
        free_octets=12 << 30,
        disk_reserve=256 << 20,
        door=DoorFacts(7, 1000, shed),
    )
    shown = command("status").out
    assert "disk: 12.0 GiB free; mail is taken down to 256.0 MiB\n" in shown
    assert (
        "7 connections were turned away with 421 since the start:"
        " 2 by sessions, 5 by connections-per-minute\n"
    ) in shown
    told = json.loads(command("status", "--json").out)
    assert told["room"] == {"free_octets": 12 << 30, "disk_reserve": 256 << 20, "is_short": False}
    assert told["door"] == {
        "sessions": 7,
        "sessions_limit": 1000,
        "shed": {"sessions": 2, "connections-per-minute": 5},
    }


def test_uncertain_mail_is_named_wherever_amounts_are(admin: AdminWorld, command: Command) -> None:
    alpha = admin.context.directory.now.domains["alpha.example"].id
    asyncio.run(admin.refuse(33, alpha, "x@alpha.example", "cut off", RecipientMove.UNCERTAIN))
    shown = command("status").out
    assert "0 messages held, 1 refused, 1 uncertain" in shown
    assert "warning: 1 message is uncertain, the destination may have them" in shown
    assert "UNCERTAIN" in shown
    assert "DAMAGED" not in shown
    told = json.loads(command("status", "--json").out)
    assert (told["held"], told["refused"], told["uncertain"]) == (0, 1, 1)
    one = told["domains"][0]
    assert (one["held"], one["refused"], one["uncertain"], one["damaged"]) == (0, 1, 1, 0)
    assert re.search(
        r"^uncertain +1$", command("domain", "show", "alpha.example").out, re.MULTILINE
    )
    assert "uncertain 1" in command("domain", "list").out.lower()
    assert " refused=1 uncertain=1 " in command("status", "--check").out


def test_the_domains_that_are_left_out_are_counted(
    admin: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = asyncio.run(admin.host("other.example", "alpha"))
    asyncio.run(admin.hold(50, number, "u@other.example"))
    monkeypatch.setattr(server_status, "MOST_SHOWN", 1)
    shown = command("status").out
    assert "\n1 more domain has mail or problems (--all shows all)\n" in shown
    assert "other.example" not in shown


def test_domains_are_chosen(admin: AdminWorld, command: Command) -> None:
    asyncio.run(admin.host("idle.example", "beta"))
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


def test_status_tells_what_waits_to_be_told_and_for_how_long(
    admin: AdminWorld, command: Command
) -> None:
    channel = Channel(
        0, "", "ops", ChannelTransport.MAIL, "ops@example.org", None, frozenset(), 1.0
    )
    number = asyncio.run(admin.store.records.put_channel(channel, audit())).id
    command("queue", "bounce", "12", "--reason", "no such mailbox", "--yes")
    asyncio.run(admin.store.notices.keep_notices([notice(number, NOW - 7200)], [], [], 9))
    shown = command("status").out
    assert (
        "\n1 report to a sender waits to be sent, for 0s\n1 notice waits to be sent, for 2h 00m\n"
        in shown
    )
    asyncio.run(admin.hold(35, asyncio.run(admin.host("beta.example", "beta")), "x@beta.example"))
    command("queue", "bounce", "13", "--reason", "no such mailbox", "--yes")
    asyncio.run(admin.store.notices.keep_notices([notice(number, NOW - 60)], [], [], 9))
    shown = command("status").out
    assert "\n2 reports to senders wait to be sent, the oldest for 0s\n" in shown
    assert "\n2 notices wait to be sent, the oldest for 2h 00m\n" in shown
    view = json.loads(command("status", "--json").out)
    assert view["reports"] == {"waiting": 2, "oldest_at": view["at"]}
    assert (view["notices"]["waiting"], view["notices"]["oldest_at"] < view["at"]) == (2, True)
    heads = " ".join(command("top", "--once").out.split())
    assert "sessions: 7; waiting: 2 reports, 2 notices DOMAIN" in heads


@pytest.mark.parametrize(
    ("words", "code"),
    [("status", 75), ("status --json", 75), ("status --check", 2), ("top --once", 75)],
)
def test_a_frozen_server_is_reported_after_five_seconds(
    installation: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    code: int,
) -> None:
    assert api_client.STATUS_SECONDS == 5.0
    for module in (status_command, top):
        monkeypatch.setattr(module, "STATUS_SECONDS", 0.05)
    frozen = open_control(installation / "data" / "control.sock")  # it listens, and says nothing
    with frozen:
        ended = command(*words.split())
    said = ended.out + ended.err
    assert (ended.code, "the server did not answer within 0 s; it may be" in said) == (code, True)
    assert said.startswith("RESTANTE CRITICAL - " if code == 2 else "restante: ")
