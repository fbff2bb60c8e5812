"""The operator's release: each answer, and the exit code of the worst."""

from pathlib import Path

from tests.admin.desk import Desk
from tests.cli.conftest import Command


def test_without_a_server_release_says_what_to_do(installation: Path, command: Command) -> None:
    assert command("release", "alpha.example").err == (
        "restante: release: no server is running; start it: restante serve --config FILE\n"
    )
    assert "no server is running" in command("status").out


def test_release_tells_each_answer_and_exits_with_the_worst(desk: Desk, command: Command) -> None:
    released = command("release", "alpha.example", "--reason", "by phone")
    assert released.code == 0
    assert (
        released.out == "alpha.example: 253 OK, 2 pending messages for node alpha.example started\n"
    )
    assert command("release", "unknown.example", "alpha.example").code == 77
