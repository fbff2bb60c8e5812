"""`restante notice`: with the server and without, and never a secret where it may be read."""

import json
from pathlib import Path

import pytest

from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.webhook_signature import new_signing_key
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

URL = "https://hook.example/in/a-token"


def test_a_new_key_goes_to_standard_output_alone(installation: Path, command: Command) -> None:
    added = command(
        "notice", "add", "hook", "--account", "alpha", "--webhook", "-", stdin=f"{URL}\n"
    )
    assert added.code == 0
    assert added.out.startswith("whsec_")
    assert added.err == (
        "restante: notice channel hook added; the key to verify its signatures is shown only once\n"
    )
    listed = command("notice", "list", "--json")
    [channel] = json.loads(listed.out)
    assert (channel["name"], channel["account"], channel["target"]) == (
        "hook",
        "alpha",
        "https://hook.example/…",
    )
    assert "a-token" not in listed.out
    table = command("notice", "list", "--account", "alpha").out.splitlines()
    assert table[0].split() == ["NAME", "ACCOUNT", "BY", "TO", "ADDED", "HEARS"]
    assert table[1].split()[:4] == ["hook", "alpha", "webhook", "https://hook.example/…"]
    removed = command("notice", "remove", "hook", "--account", "alpha", "--reason", "moved")
    assert (removed.code, removed.out) == (0, "notice channel hook removed\n")
    assert json.loads(command("notice", "list", "--json").out) == []


def test_a_key_of_ones_own_comes_from_a_file_and_is_not_shown(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    file, key = tmp_path / "key", new_signing_key()
    file.write_text(f"{key}\n")
    added = command("notice", "add", "hook", "--webhook", URL, "--key-file", file)
    assert (added.code, added.out, added.err) == (0, "notice channel hook added\n", "")


def test_a_channel_is_changed_in_place(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    assert command("notice", "add", "hook", "--account", "alpha", "--webhook", URL).code == 0
    changing = ("notice", "set", "hook", "--account", "alpha", "--reason", "moved")
    renewed = command(*changing, "--new-key", "--webhook", "-", stdin="https://b.example/b-token\n")
    assert (renewed.code, renewed.out[:6]) == (0, "whsec_")
    assert renewed.err == (
        "restante: notice channel hook changed; the key to verify its signatures is shown only"
        " once\n"
    )
    file, key = tmp_path / "key", new_signing_key()
    file.write_text(f"{key}\n")
    given = command(
        *changing, "--key-file", file, "--only", "mail-expired", "--only", "quota-reached"
    )
    assert (given.code, given.out.splitlines()[:2]) == (
        0,
        ["notice channel hook changed", "  sealed secret: set → replaced"],
    )
    [channel] = json.loads(command("notice", "list", "--json").out)
    assert (channel["target"], channel["kinds"]) == (
        "https://b.example/…",
        ["mail-expired", "quota-reached"],
    )
    assert command(*changing, "--every-kind").code == 0
    [channel] = json.loads(command("notice", "list", "--json").out)
    assert len(channel["kinds"]) > 2
    trail = command("audit", "--json").out
    changed = [one for one in json.loads(trail) if one["action"] == "notice-channel-changed"]
    assert {one["reason"] for one in changed} == {"moved"}
    assert [[change["field"] for change in one["changes"]] for one in changed] == [
        ["kinds"],
        ["sealed secret", "kinds"],
        ["target", "sealed secret"],
    ]
    assert not any(secret in trail for secret in ("b-token", key, renewed.out.strip()))


def test_all_accounts_can_be_added_to_a_channel_and_removed(
    admin: AdminWorld, command: Command
) -> None:
    assert command("notice", "add", "mail", "--mail", "ops@example.org").code == 0
    for option, is_of_all in (("--all-accounts", True), ("--no-all-accounts", False)):
        assert command("notice", "set", "mail", option, "--reason", "wanted").code == 0
        [channel] = json.loads(command("notice", "list", "--json").out)
        assert channel["all_accounts"] is is_of_all
        assert ("mail-expired" in channel["kinds"]) is is_of_all


def test_the_operators_own_are_marked(installation: Path, command: Command) -> None:
    assert (
        command("notice", "add", "mail", "--mail", "ops@example.org", "--only", "room-short").code
        == 0
    )
    [_, row, _, count] = command("notice", "list").out.splitlines()
    assert "(the operator's)" in row
    assert row.endswith("room-short")
    assert count == "1 notice channel"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "hook"), 64),
        (("add", "hook", "--webhook", URL, "--mail", "ops@example.org"), 64),
        (("add", "hook", "--webhook", "-"), 64),
        (("add", "chat", "--apprise", "-"), 64),
        (("add", "chat", "--apprise", "nothing://a-token"), 65),
        (("add", "hook", "--webhook", "http://hook.example/a-token"), 65),
        (("add", "hook", "--webhook", URL, "--key-file", "/nowhere"), 66),
        (("add", "hook", "--webhook", URL, "--only", "no-such-kind"), 64),
        (("add", "mail", "--mail", "ops@alpha.example"), 65),
        (("add", "hook", "--webhook", URL, "--account", "nobody"), 66),
        (("set", "hook", "--every-kind", "--reason", "why"), 66),
        (("set", "hook", "--every-kind"), 64),
        (("set", "hook", "--every-kind", "--only", "mail-expired", "--reason", "why"), 64),
        (("set", "hook", "--new-key", "--key-file", "/nowhere", "--reason", "why"), 64),
        (("set", "hook", "--webhook", "-", "--reason", "why"), 64),
        (("set", "hook", "--webhook", URL, "--mail", "ops@example.org", "--reason", "why"), 64),
        (("remove", "hook", "--reason", "why"), 66),
        (("test", "hook"), 66),
        (("list", "--account", "nobody"), 66),
        (("show-waiting", "--account", "nobody"), 66),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    installation: Path, command: Command, arguments: tuple[str, ...], code: int
) -> None:
    outcome = command("notice", *arguments)
    assert outcome.code == code
    (line,) = outcome.err.splitlines()
    assert "; " in line
    assert "a-token" not in line


def test_with_a_server_a_test_says_how_it_went(admin: AdminWorld, command: Command) -> None:
    assert command("notice", "add", "mail", "--mail", "ops@example.org").code == 0
    sent = command("notice", "test", "mail")
    assert (sent.code, sent.out) == (0, "notice channel mail: sent: 204 No Content\n")
    admin.transports.answer = NoticeAttempt(NoticeResult.NOT_NOW, "no answer in time")
    failed = command("notice", "test", "mail")
    assert failed.code == 69
    assert failed.err.startswith("restante: notice channel mail: not sent: no answer in time; ")
    as_json = command("notice", "test", "mail", "--json")
    assert (as_json.code, json.loads(as_json.out)) == (
        69,
        {"is_sent": False, "text": "no answer in time"},
    )
    assert command("notice", "show-waiting").out == "0 notices wait\n"


def test_a_channel_that_hears_of_everything_says_all(admin: AdminWorld, command: Command) -> None:
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


def test_a_kind_that_does_not_exist_is_answered_with_the_choices(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    for words in (("add", "ops", "--mail", "a@b.example"), ("set", "ops", "--reason", "less")):
        wrong = command("notice", *words, "--only", "mail-refused")
        assert wrong.code == 64
        assert "'mail-refused' is not one of 'mail-after-quiet', 'primary-away'," in wrong.err
