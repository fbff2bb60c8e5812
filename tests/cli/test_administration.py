"""Commands over a real store without a server: accounts, logins, domains, listings, errors."""

import json
import re
from pathlib import Path

import pytest

from restante.admin import logins
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "hash_password", lambda password: f"hash of {password}")


def test_listings_are_whole_and_aligned_where_no_terminal_is(
    installation: Path, command: Command
) -> None:
    lines = command("account", "list").out.splitlines()
    assert lines[0].split() == [
        *("NAME", "DOMAINS", "LOGINS", "EMPTY", "REPLY", "MESSAGES", "SIZE", "QUOTA", "ADDED"),
    ]
    assert lines[1].startswith("alpha")
    assert lines[2] == "    note the first"
    assert lines[3:] == ["", "1 account"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "list"),
        ("account", "show", "alpha"),
        ("login", "list", "alpha"),
        ("domain", "list", "--account", "alpha"),
        ("domain", "show", "alpha.example"),
        ("queue", "list", "alpha.example"),
        ("audit", "--account", "alpha", "--limit", "5"),
        ("status",),
        ("config", "show"),
    ],
)
def test_every_listing_is_to_be_had_as_json_and_as_text(
    installation: Path, command: Command, arguments: list[str]
) -> None:
    as_json, as_text = command(*arguments, "--json"), command(*arguments)
    assert (as_json.code, as_json.err, as_text.code, as_text.err) == (0, "", 0, "")
    json.loads(as_json.out)
    assert as_text.out


def test_a_domain_is_changed_by_what_is_given(installation: Path, command: Command) -> None:
    changed = command(
        "domain", "set", "alpha.example", "--add-allow", "mail.alpha.example", "--connections", "7"
    )
    assert changed.code == 0
    domain = json.loads(command("domain", "show", "alpha.example", "--json").out)
    assert domain["allow"] == ["192.0.2.1", "mail.alpha.example"]
    assert (domain["connections"], domain["destination"]) == (7, "192.0.2.1:25")


def test_a_policy_is_set_shown_and_taken_back(installation: Path, command: Command) -> None:
    limits = (
        "--quota",
        "1G",
        "--quota-messages",
        "500",
        "--message-size",
        "20M",
        "--retention",
        "30d",
    )
    assert (
        command(
            "domain", "set", "alpha.example", "--hold", "on-return", "--at-end", "delete", *limits
        ).code
        == 0
    )
    shown = command("domain", "show", "alpha.example").out
    for line in (
        "hold on-return",
        "quota 1.0 GiB or 500 messages",
        "message size 20.0 MiB",
        "retention 30d, then delete",
    ):
        assert line in re.sub(r" +", " ", shown)
    none = (
        "--quota",
        "none",
        "--quota-messages",
        "none",
        "--message-size",
        "none",
        "--retention",
        "none",
    )
    assert command("domain", "set", "alpha.example", *none).code == 0
    policy = json.loads(command("domain", "show", "alpha.example", "--json").out)["policy"]
    names = ("hold", "quota", "quota_messages", "message_size", "retention", "at_end")
    assert [policy[name] for name in names] == ["on-return", None, None, None, None, "delete"]


def test_a_suspension_says_why_and_until_when(installation: Path, command: Command) -> None:
    words = (
        "--hold",
        "suspended",
        "--reason",
        "not paid",
        "--until",
        "2099-01-02",
        "--while-suspended",
        "defer",
    )
    assert command("domain", "set", "alpha.example", *words).code == 0
    line = "suspended until 2099-01-02 00:00:00Z, mail is deferred: not paid; otherwise until-asked"
    assert line in " ".join(command("domain", "show", "alpha.example").out.split())
    assert " suspended " in command("domain", "list").out
    assert command("domain", "set", "alpha.example", "--hold", "until-asked").code == 0
    assert "suspended" not in command("domain", "show", "alpha.example").out


def test_a_domain_is_added_with_its_policy(installation: Path, command: Command) -> None:
    words = ("--account", "alpha", "--destination", "192.0.2.1", "--hold", "relay", "--ignore-tags")
    assert command("domain", "add", "beta.example", *words).code == 0
    policy = json.loads(command("domain", "show", "beta.example", "--json").out)["policy"]
    assert (policy["hold"], policy["ignore_tags"]) == ("relay", True)


def test_an_account_has_a_quota(installation: Path, command: Command) -> None:
    assert command("account", "set", "alpha", "--quota", "10G").code == 0
    assert json.loads(command("account", "show", "alpha", "--json").out)["quota"] == 10 << 30
    assert "10.0 GiB" in command("account", "list").out
    assert command("account", "set", "alpha", "--quota", "none").code == 0
    assert json.loads(command("account", "show", "alpha", "--json").out)["quota"] is None


def test_warnings_go_to_standard_error(installation: Path, command: Command) -> None:
    changed = command("domain", "set", "alpha.example", "--allow", "")
    assert changed.code == 0
    assert changed.err.startswith("restante: warning: domain alpha.example: no host is authorized")


def test_a_destination_that_is_ourselves_is_refused(installation: Path, command: Command) -> None:
    refused = command("domain", "set", "alpha.example", "--destination", "localhost:2525")
    assert refused.code == 65
    assert "this server's own listener" in refused.err


def test_a_password_comes_from_standard_input(installation: Path, command: Command) -> None:
    added = command("login", "add", "alpha", "primary", "--password-stdin", stdin="correct horse\n")
    assert (added.code, added.out) == (0, "login primary added\n")
    listed = json.loads(command("login", "list", "alpha", "--json").out)
    assert [(login["user"], login["cram_md5"]) for login in listed] == [("primary", True)]
    assert "horse" not in command("audit").out


def test_a_generated_password_is_alone_on_standard_output(
    installation: Path, command: Command
) -> None:
    added = command("login", "add", "alpha", "primary", "--generate", "--no-cram-md5")
    assert added.code == 0
    assert len(added.out) == len("xxxxx-xxxxx-xxxxx-xxxxx-xxxxx\n")
    assert added.out.strip() not in added.err
    assert "no" in command("login", "list", "alpha").out
    assert command("login", "set", "alpha", "primary", "--generate").out != added.out
    assert command("login", "remove", "alpha", "primary", "--reason", "gone").code == 0


def test_the_whole_is_taken_down_again(installation: Path, command: Command) -> None:
    assert command("domain", "remove", "alpha.example", "--reason", "moved").code == 0
    assert (
        command("account", "remove", "alpha", "--reason", "left").out == "account alpha removed\n"
    )
    newest = json.loads(command("audit", "--limit", "1", "--json").out)[0]
    assert (newest["action"], newest["reason"], newest["origin"]) == (
        "account-removed",
        "left",
        "command line",
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("account", "add", "Alpha"), 65),
        (("account", "add", "alpha"), 73),
        (("account", "show", "beta"), 66),
        (("account", "remove", "alpha", "--reason", "x"), 65),
        (("account", "remove", "alpha"), 64),
        (("account", "set", "alpha"), 64),
        (("login", "set", "alpha", "nobody"), 64),
        (("login", "set", "alpha", "nobody", "--no-cram-md5"), 66),
        (("login", "add", "alpha", "p", "--generate", "--password-stdin"), 64),
        (("login", "add", "alpha", "p", "--password-stdin"), 64),
        (("login", "add", "alpha", "p"), 64),
        (("domain", "set", "alpha.example"), 64),
        (("domain", "set", "beta.example", "--connections", "1"), 66),
        (("domain", "set", "alpha.example", "--connections", "0"), 64),
        (("domain", "set", "alpha.example", "--tls", "maybe"), 64),
        (("domain", "set", "alpha.example", "--destination-login", "us"), 64),
        (("domain", "set", "alpha.example", "--hold", "sometimes"), 64),
        (("domain", "set", "alpha.example", "--hold", "suspended"), 64),
        (("domain", "set", "alpha.example", "--reason", "not paid"), 64),
        (
            (
                "domain",
                "set",
                "alpha.example",
                "--hold",
                "suspended",
                "--reason",
                "x",
                "--until",
                "1999-01-01",
            ),
            65,
        ),
        (("domain", "set", "alpha.example", "--until", "some day"), 64),
        (("domain", "set", "alpha.example", "--accept", "when-down"), 64),
        (("domain", "set", "alpha.example", "--force-until", "2d"), 64),
        (("domain", "set", "alpha.example", "--force-accept", "maybe"), 65),
        (("domain", "set", "alpha.example", "--quota", "much"), 64),
        (("domain", "set", "alpha.example", "--quota-messages", "0"), 64),
        (("domain", "set", "alpha.example", "--retention", "0"), 64),
        (("account", "set", "alpha", "--quota", "much"), 64),
        (("queue", "show", "zzz"), 66),
        (("queue", "show", "!"), 65),
        (("queue", "list", "--older", "soon"), 64),
        (("queue", "list", "--larger", "much"), 64),
        (("queue", "delete", "abc", "--reason", "x"), 66),
        (("queue", "delete", "abc", "--reason", "x", "--yes"), 66),
        (("release", "alpha.example"), 69),
        (("frobnicate",), 64),
        (("account",), 64),
        ((), 64),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    installation: Path, command: Command, arguments: list[str], code: int
) -> None:
    outcome = command(*arguments)
    assert outcome.code == code
    assert outcome.out in ("", "0 messages deleted\n")
    (line,) = outcome.err.splitlines()
    assert line.startswith("restante: ")
    assert "; " in line  # a remedy follows


def test_without_a_server_release_says_what_to_do(installation: Path, command: Command) -> None:
    assert command("release", "alpha.example").err == (
        "restante: release: no server is running; start it: restante serve --config FILE\n"
    )
    assert "no server is running" in command("status").out


def test_the_configuration_may_be_named_before_or_after_the_command(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESTANTE_CONFIG")
    file = installation / "restante.toml"
    assert command("--config", file, "account", "list").code == 0
    assert command("account", "list", "--config", file).code == 0
    assert command("account", "list", "--config", installation / "other.toml").code == 78
