"""The operator's release: each answer, and the exit code of the worst."""

import json
from pathlib import Path
from typing import Any

import pytest

from restante.cli.failures import Exit
from restante.cli.release_command import ended_text, exit_after, told
from restante.queue.drain_word import DrainEnd
from restante.store.handover_store import PastDrain
from tests.admin.admin_world import NOW, RELEASE, UNPAID, AdminWorld, ask_for, run
from tests.cli.conftest import Command
from tests.contract.making import delivered

RESUME = "`restante domain set DOMAIN --hold until-asked` ends a suspension"
LIST = "`restante domain list` shows the hosted domains"


def answer(target: str, result: str, text: str, reason: str, *suspensions: str) -> dict[str, Any]:
    return {
        "target": target,
        "result": result,
        "text": text,
        "reason": reason,
        "pending": 0,
        "suspensions": list(suspensions),
    }


OF_A = "a.example is suspended: unpaid"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            answer("a.example", "granted", "2 messages released", "operator"),
            "a.example: 2 messages released",
        ),
        (
            answer("a.example", "cannot-now", "not now", OF_A, OF_A),
            f"a.example: not now; a.example is suspended: unpaid; {RESUME}",
        ),
        (
            answer("#a", "nothing-held", "none", f"operator, but {OF_A}; none", OF_A),
            f"#a: none; {OF_A}; {RESUME}",
        ),
        (
            answer("b.example", "refused", "not allowed", "the domain is not hosted here"),
            f"b.example: not allowed; the domain is not hosted here; {LIST}",
        ),
        (
            answer("a.example", "cannot-now", "not now", "no drain could start: StoreError: disk"),
            "a.example: not now; no drain could start: StoreError: disk",
        ),
        (
            answer("", "not-a-target", "no target", "no name"),
            "'': no target; no name; name a domain, @DOMAIN or #ACCOUNT",
        ),
    ],
)
def test_an_answer_has_the_true_reason_where_mail_stays(given: dict[str, Any], line: str) -> None:
    assert told(given) == line


def test_without_a_server_release_says_what_to_do(installation: Path, command: Command) -> None:
    assert command("release", "alpha.example").err == (
        "restante: release: no server is running; start it: restante serve --config FILE\n"
    )
    assert "no server is running" in command("status").out


def test_release_tells_each_answer_and_exits_with_the_worst(
    admin: AdminWorld, command: Command
) -> None:
    released = command("release", "alpha.example", "--reason", "by phone")
    assert released.code == 0
    assert released.out == "alpha.example: 2 messages released\n"
    assert command("release", "unknown.example", "alpha.example").code == 77


def test_targets_of_which_none_is_released_are_told_too(
    admin: AdminWorld, command: Command
) -> None:
    ended = command("release", "unpaid.example", "unknown.example")
    assert ended.out.splitlines() == [
        f"unpaid.example: not possible now; {UNPAID}; {RESUME}",
        f"unknown.example: not allowed; not hosted; {LIST}",
    ]
    assert (ended.err, ended.code) == ("", 77)
    assert command("release", "busy.example").code == 75
    assert command("release", "unpaid.example").code == 65
    shown = json.loads(command("release", "unknown.example", "--json").out)
    assert [one["result"] for one in shown] == ["refused"]
    assert admin.server


class Advancing:
    """A drain that delivers two messages, tries again, and ends, each while the command waits."""

    def __init__(self, admin: AdminWorld) -> None:
        self.admin = admin
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        handover = self.admin.store.handover
        [drain] = handover.open_drains()
        if len(self.pauses) == 1:
            run(handover.settle(drain, [delivered(33, "x@alpha.example")]))
            assert self.admin.server
            self.admin.server.last_error = "connection refused"
        else:
            past = PastDrain(NOW, NOW + 75, "", DrainEnd.GIVEN_UP, "", 2, 0, 0, "")
            run(handover.close_drain(drain, past))


@pytest.fixture
def advancing(admin: AdminWorld, monkeypatch: pytest.MonkeyPatch) -> Advancing:
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    run(ask_for(admin, RELEASE, "alpha.example", domain_id))
    run(admin.hold(40, domain_id, "x@alpha.example"))
    advancing = Advancing(admin)
    monkeypatch.setattr("restante.cli.release_command.time.sleep", advancing.pause)
    return advancing


def test_the_end_of_a_release_can_be_waited_for(advancing: Advancing, command: Command) -> None:
    waited = command("release", "alpha.example", "--wait")
    assert waited.out.splitlines()[1:] == [
        "alpha.example: given up after 1m 15s: 1 delivered, 0 refused, 1 left"
    ]
    assert waited.err == (
        "restante: release: alpha.example: will be tried again: connection refused\n"
    )
    assert waited.code == 75
    assert advancing.pauses == [1.0, 1.0]


def test_the_end_of_a_release_as_json(advancing: Advancing, command: Command) -> None:
    waited = json.loads(command("release", "alpha.example", "--wait", "--json").out)
    assert [one["result"] for one in waited["answers"]] == ["granted"]
    assert [one["ends"] for one in waited["releases"]] == [["given-up"]]
    assert len(advancing.pauses) == 2


@pytest.mark.usefixtures("admin")
def test_a_release_as_json(command: Command) -> None:
    [answer] = json.loads(command("release", "alpha.example", "--json").out)
    assert (answer["target"], answer["pending"]) == ("alpha.example", 2)


def test_a_release_of_nothing_has_an_end_too() -> None:
    assert ended_text({"drains": 0, "target": "#alpha"}) == "#alpha: nothing to hand over"


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"delivered": 3}, Exit.DONE),
        ({"delivered": 3, "refused": 1}, Exit.UNAVAILABLE),
        ({"uncertain": 1}, Exit.UNAVAILABLE),
        ({"refused": 1, "left": 2}, Exit.TRY_LATER),
        ({"left": 1}, Exit.TRY_LATER),
    ],
)
def test_the_exit_code_says_what_came_of_a_release(counts: dict[str, int], code: Exit) -> None:
    none = {"delivered": 0, "refused": 0, "uncertain": 0, "left": 0}
    assert exit_after(none | counts) is code
