"""Commands to copy: each value of a stranger is one quoted word."""

import re
import shlex
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer

from restante.admin.held_mail import QueueSelection
from restante.cli.command_line import app
from restante.web.api.api_application import build_api
from restante.web.portal.shell_lines import (
    acted,
    of_access,
    of_channels,
    of_message,
    of_recipients,
    of_use,
    of_users,
    of_waiting_change,
    redirected,
    released,
)
from tests.admin.admin_world import AdminWorld

EVIL = "'; rm -rf / #"


def test_values_are_quoted_for_the_shell() -> None:
    selection = QueueSelection(reverse_path=EVIL, older=7200, larger=5, message_id="1@a")
    [line] = acted("delete", [], selection, EVIL, "https://r.example")
    words = shlex.split(line)
    assert words[:5] == ["restante", "queue", "delete", "--reverse-path", EVIL]
    assert words[5:] == [
        "--older",
        "7200s",
        "--larger",
        "5",
        "--message-id",
        "1@a",
        "--reason",
        EVIL,
    ]


def test_named_messages_have_a_line_for_the_api_too() -> None:
    command, curl = acted("bounce", ["B7"], None, "", "https://r.example")
    assert command == "restante queue bounce B7 --reason why"
    assert curl.endswith("https://r.example/v1/queue/bounce")
    assert '{"names": ["B7"], "reason": "why"}' in curl


def test_no_filter_is_everything() -> None:
    [line] = acted("delete", [], QueueSelection(), "x", "https://r.example")
    assert "--all" in line


def test_release() -> None:
    command, curl = released("alpha.example", "https://r.example")
    assert command == "restante release alpha.example"
    assert '{"targets": ["alpha.example"]}' in curl


def test_a_change_of_the_destination() -> None:
    command, curl = redirected("alpha.example", EVIL, ["192.0.2.1", EVIL], "https://r.example")
    words = shlex.split(command)
    assert words[:6] == ["restante", "domain", "set", "alpha.example", "--destination", EVIL]
    assert words[6:] == ["--allow", "192.0.2.1", "--allow", EVIL]
    assert shlex.split(curl)[-1] == "https://r.example/v1/domains/alpha.example"


def lines_of_pages(account: str, base_url: str) -> list[str]:
    """Return all lines of the pages about an account, some of a domain, a message and a change."""
    return [
        *of_access(account, base_url),
        *of_users(account, base_url),
        *of_channels(account, base_url),
        *of_recipients("alpha.example", base_url),
        *of_message("1f", base_url),
        *of_waiting_change(7, base_url, may_apply=True),
        *of_use(account, base_url),
    ]


@pytest.mark.parametrize("account", ["alpha", ""])
def test_every_line_is_a_command_that_exists(account: str) -> None:
    parser = typer.main.get_command(app)
    for line in lines_of_pages(account, "https://r.example"):
        words = shlex.split(line)
        if words[0] == "curl":
            continue
        command: Any = parser
        while hasattr(command, "commands"):
            command = command.commands[words[1]]
            words = words[1:]
        known = {name for one in command.params for name in one.opts}
        given = {word for word in words if word.startswith("--")}
        assert given <= known, line


@pytest.mark.parametrize("account", ["alpha", ""])
def test_every_line_of_curl_is_a_request_of_the_api(account: str) -> None:
    admin = AdminWorld()
    paths = build_api(admin.context, admin.context.principal).openapi()["paths"]
    patterns = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), one) for path, one in paths.items()]
    seen = 0
    for line in lines_of_pages(account, "https://r.example"):
        words = shlex.split(line)
        if words[0] != "curl":
            continue
        url = urlsplit(words[-1])
        given = words[words.index("-X") + 1] if "-X" in words else None
        verb = given or ("POST" if "--json" in words else "GET")
        found = [one for pattern, one in patterns if pattern.fullmatch(url.path)]
        assert any(verb.lower() in one for one in found), line
        operation = next(one[verb.lower()] for one in found if verb.lower() in one)
        names = {one["name"] for one in operation.get("parameters", [])}
        assert set(parse_qs(url.query)) <= names, line
        seen += 1
    assert seen > 10


def test_no_password_is_an_argument() -> None:
    for line in lines_of_pages("alpha", "https://r.example"):
        assert "password" not in line.lower()
