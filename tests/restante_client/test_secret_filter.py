"""Secrets in the texts of a server: plain, spaced, encoded."""

from __future__ import annotations

import base64
import json
import ssl
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante_client.secret_filter import HIDDEN, SecretFilter
from tests.cli.answering import answering
from tests.restante_client.conftest import PASSWORD, RunClient
from tests.restante_client.local_stub import LocalStub
from tests.restante_client.turning_script import TurningScript


def filter_of(secret: str) -> SecretFilter:
    secrets = SecretFilter()
    secrets.add(secret, "acme-mail")
    return secrets


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        PASSWORD.upper(),
        " ".join(PASSWORD),
        PASSWORD.encode().hex(),
        quote(PASSWORD),
        PASSWORD.encode("latin-1").decode("utf-8", "backslashreplace"),
        *(base64.b64encode(b"xyz"[:n] + PASSWORD.encode() + b"!").decode() for n in range(4)),
        base64.b64encode(f"\0acme-mail\0{PASSWORD}".encode()).decode(),
    ],
)
def test_each_form_is_hidden_and_the_rest_is_shown(form: str) -> None:
    hidden = filter_of(PASSWORD).hide(f"login refused: {form} is wrong")
    assert form not in hidden
    assert hidden.startswith(f"login refused: {HIDDEN}")
    assert hidden.endswith(f"{HIDDEN} is wrong")


def test_a_text_without_it_is_left_alone() -> None:
    text = "450 4.7.1  ATRN request\trefused\n"
    assert filter_of(PASSWORD).hide(text) is text
    assert SecretFilter().hide(text) is text
    assert filter_of("").hide(text) is text


def test_values_of_json_are_treated_alike() -> None:
    value = {"a": [PASSWORD, 5, None, {PASSWORD: True}]}
    hidden = filter_of(PASSWORD).hide_all(value)
    assert PASSWORD not in json.dumps(hidden, ensure_ascii=False)
    assert hidden["a"][1:3] == [5, None]


@given(st.text(min_size=1, max_size=12), st.text(max_size=30), st.text(max_size=30))
def test_no_text_gives_it_away(secret: str, before: str, after: str) -> None:
    secrets = filter_of(secret)
    hidden = secrets.hide(f"{before} {secret} {after}")
    assert secret.isspace() or secret not in hidden.replace(HIDDEN, "\n")


@pytest.mark.parametrize("place", ["EHLO", "STARTTLS", "AUTH", "ATRN"])
@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
def test_a_server_that_repeats_the_password_does_not_publish_it(
    client: RunClient, context: ssl.SSLContext, who: list[str], place: str, words: list[str]
) -> None:
    script = TurningScript(context)
    script.replies = {
        place: f"550 what is {PASSWORD}?",
        **{name: reply for name, reply in script.replies.items() if not name.startswith(place)},
    }
    with LocalStub() as local, answering(script):
        server = f"localhost:{script.port}"
        ended = client("turn", server, *who, *words, "--local", local.address)
    assert ended.code in (69, 77)
    printed = ended.out + ended.err
    assert PASSWORD not in printed
    assert json.dumps(PASSWORD)[1:-1] not in printed


def test_a_local_server_that_repeats_it_does_not_publish_it(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    with LocalStub(replies={"CONTENT": f"550 no {PASSWORD}"}) as local:
        script = TurningScript(context)
        with answering(script):
            ended = client("turn", f"localhost:{script.port}", *who, "--local", local.address)
    assert f"550 no {HIDDEN} {HIDDEN}" in ended.out
