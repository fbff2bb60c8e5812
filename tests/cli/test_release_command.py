"""The operator's release: each answer, and the exit code of the worst."""

from pathlib import Path
from typing import Any

import pytest

from restante.cli.release_command import told
from tests.admin.desk import Desk
from tests.cli.conftest import Command

RESUME = "`restante domain set DOMAIN --hold until-asked` ends a suspension"
LIST = "`restante domain list` shows the hosted domains"


def answer(node: str, code: int, text: str, reason: str) -> dict[str, Any]:
    return {"node": node, "code": code, "text": text, "reason": reason, "pending": 0}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (answer("a.example", 253, "OK, started", "operator"), "a.example: 253 OK, started"),
        (
            answer("a.example", 458, "Unable", "a.example is suspended: unpaid"),
            f"a.example: 458 Unable; a.example is suspended: unpaid; {RESUME}",
        ),
        (
            answer("#a", 251, "OK, none", "operator, but a.example is suspended: unpaid; none"),
            f"#a: 251 OK, none; a.example is suspended: unpaid; none; {RESUME}",
        ),
        (
            answer("b.example", 459, "not allowed", "the domain is not hosted here"),
            f"b.example: 459 not allowed; the domain is not hosted here; {LIST}",
        ),
        (
            answer("a.example", 458, "Unable", "no drain could start: StoreError: disk"),
            "a.example: 458 Unable; no drain could start: StoreError: disk",
        ),
        (
            answer("", 500, "ETRN needs a node", "not a node"),
            "'': 500 ETRN needs a node; not a node; name a domain, @DOMAIN or #ACCOUNT",
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


def test_release_tells_each_answer_and_exits_with_the_worst(desk: Desk, command: Command) -> None:
    released = command("release", "alpha.example", "--reason", "by phone")
    assert released.code == 0
    assert (
        released.out == "alpha.example: 253 OK, 2 pending messages for node alpha.example started\n"
    )
    assert command("release", "unknown.example", "alpha.example").code == 77
