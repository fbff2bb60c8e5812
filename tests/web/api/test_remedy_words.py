"""Problems of the API name fields and routes, those of the command line options and commands."""

import ast
import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

import restante
from restante.queue.recipient_status import RecipientMove
from restante.web.api.remedy_words import in_words_of_api, is_command_line
from tests.admin.admin_world import AdminWorld
from tests.source_tree import parse_source
from tests.web.api.asking import ask

NEW = {"name": "new.example", "account": "alpha", "destination": "192.0.2.7"}
SOURCES = Path(restante.__file__).parent


@pytest.mark.parametrize(
    ("words", "of_api"),
    [
        (
            "`restante domain list` shows the hosted domains",
            "`GET /v1/domains` shows the hosted domains",
        ),
        (
            "give --tls verify too, or leave out --tls-pin",
            "give `tls` verify too, or leave out `tls_pins`",
        ),
        ("`restante login list acme` shows all", "`GET /v1/accounts/acme/logins` shows all"),
        (
            "end it with `restante login set acme mail --end-rotation`",
            "end it with `PATCH /v1/accounts/acme/logins/mail` with `end_rotation`",
        ),
        (
            "`restante drain list --past` shows the requests",
            "`GET /v1/releases` shows the requests",
        ),
        ("stop it: restante drain stop a.example", "stop it: POST /v1/drains/a.example/stop"),
        (
            "1 message is damaged: restante queue list --status damaged",
            "1 message is damaged: GET /v1/queue?status=damaged",
        ),
        (
            "the oldest for 2 hours: restante notice show-waiting",
            "the oldest for 2 hours: GET /v1/notices/waiting",
        ),
        ("xn--mnchen-9xa.example: unknown", "xn--mnchen-9xa.example: unknown"),
        ("pass --config FILE", "pass --config FILE"),
        ("`restante store check` says more", "`restante store check` says more"),
        ("name others - or none -- now", "name others - or none -- now"),
    ],
)
def test_a_text_has_routes_for_commands_and_fields_for_options(words: str, of_api: str) -> None:
    assert in_words_of_api(words) == of_api


def test_no_text_of_an_action_names_an_option_or_a_command_that_has_a_route() -> None:
    kept = re.compile(r"`restante (?!store|config|serve|init|etrn|export-config)|--[a-z]")
    seen, found = 0, []
    for file in [*(SOURCES / "admin").glob("*.py"), *(SOURCES / "transfer").glob("*.py")]:
        for node in ast.walk(parse_source(file.read_text())):
            for text in texts_of(node):
                seen += bool(kept.search(text))
                if kept.search(in_words_of_api(text)):
                    found.append(f"{file.name}:{node.lineno}: {text}")  # type: ignore[attr-defined]
    assert seen > 30
    assert found == []


def texts_of(node: ast.AST) -> list[str]:
    """Return the text of a string that is no docstring, with {} for each value in it."""
    match node:
        case ast.JoinedStr(values=values):
            parts = (one.value if isinstance(one, ast.Constant) else "NAME" for one in values)
            return ["".join(map(str, parts))]
        case ast.Constant(value=str(text)) if "\n" not in text:
            return [text] if text.count("`") % 2 == 0 else []
    return []


@pytest.mark.parametrize(
    ("agent", "remedy"),
    [
        ("restante-cli", "`restante account list` shows all"),
        ("curl/7.88", "`GET /v1/accounts` shows all"),
    ],
)
def test_the_client_chooses_the_words(agent: str, remedy: str) -> None:
    answer = ask(AdminWorld(), "GET", "/v1/accounts/nobody", headers={"User-Agent": agent})
    assert answer.json()["remedy"] == remedy
    assert is_command_line(agent) == agent.startswith("restante-cli")


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", "/v1/domains", {"json": NEW}),
        ("PATCH", "/v1/domains/alpha.example", {"json": {"recipients": "any", "unknown": "defer"}}),
        ("POST", "/v1/apply", {"content": json.dumps({"thing": "domain", **NEW})}),
        ("GET", "/v1/status", {}),
    ],
    ids=["add a domain", "change a domain", "apply", "status"],
)
def test_warnings_and_problems_are_in_the_words_of_the_client(
    method: str, path: str, sent: dict[str, Any]
) -> None:
    told = {}
    for agent in ("restante-cli", "curl/7.88"):
        admin = AdminWorld()
        asyncio.run(prepare(admin))
        answer = ask(admin, method, path, headers={"User-Agent": agent}, **sent)
        assert answer.is_success, answer.text
        told[agent] = answer.text
    of_commands = re.compile(r"restante (release|queue)|--[a-z]")
    assert of_commands.search(told["restante-cli"])
    assert not of_commands.search(told["curl/7.88"])


async def prepare(admin: AdminWorld) -> None:
    """Hold an uncertain message, so that there is something to warn of."""
    number = await admin.host("alpha.example", "alpha")
    await admin.hold(1, number, "u@alpha.example")
    await admin.refuse(1, number, "u@alpha.example", "250ok", RecipientMove.UNCERTAIN)
