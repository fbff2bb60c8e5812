"""Commands to copy: each value of a stranger is one quoted word."""

import shlex

from restante.admin.held_mail import QueueSelection
from restante.web.portal.shell_lines import acted, redirected, released

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
