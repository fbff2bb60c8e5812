"""The options of a policy, and how a policy is shown."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command


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


@pytest.mark.usefixtures("installation")
def test_the_drains_after_which_mail_is_refused_are_no_messages(command: Command) -> None:
    shown = re.sub(r" +", " ", command("domain", "show", "alpha.example").out)
    assert "after drains none" in shown
    assert command("domain", "set", "alpha.example", "--after-drains", "10").code == 0
    shown = re.sub(r" +", " ", command("domain", "show", "alpha.example").out)
    assert "after drains mark refused after 10" in shown
    assert "deferred by policy 0" in shown


@pytest.mark.usefixtures("installation")
def test_the_period_of_drills_is_set_and_removed(command: Command) -> None:
    def shown() -> str:
        return re.sub(r" +", " ", command("domain", "show", "alpha.example").out)

    assert "drill every none" in shown()
    assert command("domain", "set", "alpha.example", "--drill-every", "30d").code == 0
    assert "drill every 30d" in shown()
    assert command("domain", "set", "alpha.example", "--drill-every", "none").code == 0
    assert "drill every none" in shown()
    assert command("domain", "set", "alpha.example", "--drill-every", "1h").code == 65
