"""Commands to copy: each value of a stranger is one quoted word."""

import json
import re
import shlex
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer

from restante.admin.held_mail import MAX_NAMES, QueueSelection
from restante.admin.mail_search import TraceSelection
from restante.cli.command_line import build_app
from restante.queue.recipient_status import RecipientStatus
from restante.web.api.api_application import build_api
from restante.web.portal.shell_lines import (
    MOST_DOMAINS,
    acted,
    of_access,
    of_audit,
    of_channels,
    of_content,
    of_makings,
    of_message,
    of_queue,
    of_recipients,
    of_release,
    of_releases,
    of_status,
    of_use,
    of_users,
    of_waiting_change,
    redirected,
    released,
    traced,
)
from tests.admin.admin_world import AdminWorld

EVIL = "'; rm -rf / #"
FILTER = QueueSelection(
    domain="alpha.example",
    reverse_path="",
    recipient="*@x",
    older=5400.5,
    larger=5,
    message_id="a@b",
)


URL = "https://r.example"
ALL = QueueSelection()


def by_filter(action: str, selection: QueueSelection, *domains: str) -> list[str]:
    return acted(action, [], selection, "x", URL, is_by_filter=True, domains=domains)


def test_values_are_quoted_for_the_shell() -> None:
    selection = QueueSelection(reverse_path=EVIL, older=7200, larger=5, message_id="1@a")
    [line] = acted("delete", [], selection, EVIL, URL, is_by_filter=True)
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
    command, curl = acted("bounce", ["B7"], ALL, "", URL)
    assert command == "restante queue bounce B7 --reason why"
    assert curl.endswith("https://r.example/v1/queue/bounce")
    assert '{"names": ["B7"], "reason": "why"}' in curl


def test_every_name_is_in_the_lines_and_no_request_has_too_many() -> None:
    names = [f"B{number}" for number in range(MAX_NAMES + 5)]
    command, *curls = acted("delete", names, ALL, "", URL)
    assert shlex.split(command)[3:-2] == names
    bodies = [json.loads(shlex.split(line)[-2])["names"] for line in curls]
    assert [len(one) for one in bodies] == [MAX_NAMES, 5]
    assert [name for body in bodies for name in body] == names


def test_no_filter_is_everything() -> None:
    [line] = by_filter("delete", ALL)
    assert "--all" in line


def test_the_lines_of_an_account_name_its_domains_and_never_everything() -> None:
    lines = by_filter("delete", ALL, "a.example", "b.example")
    assert lines == [
        "restante queue delete --domain a.example --reason x",
        "restante queue delete --domain b.example --reason x",
    ]
    many = [f"{number}.example" for number in range(MOST_DOMAINS + 1)]
    [line, _] = acted("delete", ["B7"], ALL, "x", URL, is_by_filter=True, domains=many)
    assert line == "restante queue delete B7 --reason x"


def test_a_release_by_filter_names_each_status_that_can_be_held_again() -> None:
    assert by_filter("release", ALL) == [
        f"restante queue release --status {status} --reason x"
        for status in ("refused", "uncertain", "damaged")
    ]
    assert by_filter("release", QueueSelection(status=RecipientStatus.HELD)) == []
    refused = QueueSelection(status=RecipientStatus.REFUSED)
    command, curl = acted("release", ["B7"], refused, "x", URL)
    assert command == "restante queue release B7 --status refused --reason x"
    assert '"status": "refused"' in curl


def test_the_null_reverse_path_is_written_as_it_is_known() -> None:
    command, curl = of_queue(QueueSelection(reverse_path=""), URL)
    assert command == "restante queue list --reverse-path '<>'"
    assert curl.endswith("'https://r.example/v1/queue?reverse_path='")


def test_a_search_until_a_day_ends_with_the_day() -> None:
    selection = TraceSelection(recipient="*@x", until=1796083200.0)
    command, curl = traced({"recipient": "*@x", "until": "2026-11-30"}, selection, URL)
    assert command == "restante trace --to '*@x' --until 2026-12-01"
    assert curl.endswith("'https://r.example/v1/trace?recipient=%2A%40x&until=1796083200.0'")


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
        *of_makings("k3v9x0q2ma", base_url),
        *of_channels(account, base_url),
        *of_recipients("alpha.example", base_url),
        *of_message("1f", base_url),
        *of_waiting_change(7, base_url, may_apply=True),
        *of_use(account, base_url),
        *of_status(base_url),
        *of_content("1f", base_url),
        *of_releases("alpha.example", base_url),
        *of_release("1f", base_url),
        *of_audit({"domain": "alpha.example", "action": "", "actor": "operator"}, base_url),
        *of_queue(FILTER, base_url),
        *acted("delete", ["1f"], FILTER, "", base_url),
        *acted("bounce", ["1f"], FILTER, "", base_url, is_by_filter=True),
        *acted("release", ["1f"], FILTER, "", base_url, is_by_filter=True),
        *traced({"recipient": "*@x"}, TraceSelection(recipient="*@x"), base_url),
    ]


@pytest.mark.parametrize("account", ["alpha", ""])
def test_every_line_is_a_command_that_exists(account: str) -> None:
    parser = typer.main.get_command(build_app())
    for line in lines_of_pages(account, "https://r.example"):
        words = shlex.split(line)
        if words[0] == "curl":
            continue
        command: Any = parser
        while hasattr(command, "commands"):
            command = command.commands[words[1]]
            words = words[1:]
        given = [word for word in words[1:] if not word.startswith(">")]
        command.make_context(words[0], given)  # raises for an unknown option or value


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
        parameters = operation.get("parameters", [])
        names = {one["name"] for one in parameters}
        needed = {one["name"] for one in parameters if one["required"] and one["in"] == "query"}
        assert needed <= set(parse_qs(url.query, keep_blank_values=True)) <= names, line
        seen += 1
    assert seen > 10


def test_no_password_is_an_argument() -> None:
    for line in lines_of_pages("alpha", "https://r.example"):
        assert "password" not in line.lower()
