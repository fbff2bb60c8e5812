"""Which messages are meant: named, filtered or all, counted page by page, and confirmed."""

import json
from collections.abc import Sequence

import pytest

from restante.cli import queue_selection
from tests.admin.admin_world import HEAD, AdminWorld
from tests.cli.conftest import Command


def left(command: Command) -> list[str]:
    return [message["name"] for message in json.loads(command("queue", "list", "--json").out)]


def test_mail_to_be_deleted_is_counted_and_asked_about(
    filled: AdminWorld, command: Command, terminal: list[str]
) -> None:
    assert command("queue", "delete", "--domain", "alpha.example", "--reason", "spam").code == 130
    assert terminal == [f"3 messages, {3 * len(HEAD)} B, of alpha.example: delete permanently?"]
    assert command("queue", "delete", "--recipient", "x@*", "--reason", "spam").code == 130
    assert "(1 of them also for other recipients" in terminal[1]
    assert command("queue", "delete", "--all", "--reason", "spam").code == 130
    assert "4 messages" in terminal[2]
    assert "of 2 domains" in terminal[2]
    assert left(command) == ["11", "12", "13", "14"]


def test_without_a_terminal_many_are_changed_only_with_yes(
    filled: AdminWorld, command: Command
) -> None:
    for verb in ("delete", "release"):
        refused = command("queue", verb, "--domain", "alpha.example", "--reason", "spam")
        assert refused.code == 64
        assert (
            "of alpha.example: cannot ask for confirmation without a terminal; pass --yes"
            in refused.err
        )
    assert left(command) == ["11", "12", "13", "14"]


@pytest.mark.parametrize("verb", ["delete", "release"])
@pytest.mark.parametrize(
    "filters", [[], ["11", "--domain", "alpha.example"], ["--all", "--older", "1h"]]
)
def test_a_selection_of_messages_is_given_in_one_way(
    filled: AdminWorld, command: Command, verb: str, filters: Sequence[str]
) -> None:
    refused = command("queue", verb, *filters, "--reason", "spam", "--yes")
    assert refused.code == 64
    assert "give names, or filters" in refused.err
    assert left(command) == ["11", "12", "13", "14"]


def test_a_filter_that_nothing_matches_asks_nothing(
    filled: AdminWorld, command: Command, terminal: list[str]
) -> None:
    done = command("queue", "delete", "--recipient", "nobody@*", "--reason", "spam")
    assert (done.code, done.out, terminal) == (0, "0 messages deleted\n", [])


def test_counting_reads_page_after_page(
    filled: AdminWorld, command: Command, terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3):
        monkeypatch.setattr(queue_selection, "PAGE", size)
        command("queue", "delete", "--all", "--reason", "spam")
    assert [text.split(",")[0] for text in terminal] == ["4 messages"] * 3
