"""`restante trace-session` beside a running server: TLS, and every mechanism of AUTH."""

import base64
import json
from collections.abc import Iterator
from typing import IO, Any

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.session import Session, plain_response
from tests.acceptance.session_trace import tracing


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def until_closed(lines: IO[str]) -> list[dict[str, Any]]:
    """Return the lines of one session."""
    found = []
    for text in lines:
        found.append(json.loads(text))
        if found[-1].get("text", "").startswith("closed"):
            return found
    raise AssertionError(found)


@pytest.fixture
def restante() -> Iterator[Installation]:
    with Installation() as made:
        made.start()
        yield made


def client_lines(lines: list[dict[str, Any]]) -> list[str]:
    return [line["text"] for line in lines if line["kind"] == "client"]


def test_sessions_are_shown_as_they_happen_without_their_secrets(restante: Installation) -> None:
    login = restante.has_account("alpha")
    secrets = [login.password, plain_response(login), encoded(login.password), encoded(login.user)]
    with tracing(restante, "--json") as lines:
        with Session(restante.starttls) as session:
            assert session.authenticate(login).startswith(b"235")
            session.say("QUIT")
        told = until_closed(lines)
        size = len(plain_response(login))
        assert client_lines(told)[-2:] == [f"AUTH PLAIN (secret, {size} octets)", "QUIT"]
        assert told[0]["text"] == "connected"
        with Session(restante.smtps) as session:
            assert session.say("AUTH LOGIN").startswith(b"334")
            assert session.say(encoded(login.user)).startswith(b"334")
            assert session.say(encoded(login.password)).startswith(b"235")
        told += until_closed(lines)
        with Session(restante.smtps) as session:
            assert session.say("AUTH CRAM-MD5").startswith(b"334 ")
            assert session.say(encoded(f"{login.user} {'0' * 32}")).startswith(b"535")
        told += until_closed(lines)
        assert "AUTH CRAM-MD5" in client_lines(told)
        with Session(restante.smtps) as session:
            first = session.say(f"AUTH SCRAM-SHA-256 {encoded(f'n,,n={login.user},r=fyko+d2l')}")
            assert first.startswith(b"334 ")
            assert session.say(encoded("c=biws,r=x,p=bm8=")).startswith(b"5")
        told += until_closed(lines)
    text = json.dumps(told)
    assert "AUTH SCRAM-SHA-256 (secret, " in text
    assert "334 (challenge, " in text
    assert not [secret for secret in secrets if secret in text]
    [entry] = [one for one in restante.shown("audit") if one["action"] == "sessions-traced"]
    assert entry["subject"] == "127.0.0.1/32"


def test_in_a_pipe_a_line_is_one_line(restante: Installation) -> None:
    restante.hosts("alpha.example", "127.0.0.1:9")
    with tracing(restante, "--reason", "ticket 7") as lines:
        with Session(restante.mx) as session:
            session.say(f"RCPT TO:<{'x' * 90}@alpha.example>")
            session.say("QUIT")
        shown = []
        for line in lines:
            shown.append(line.rstrip("\n"))
            if "closed" in line:
                break
    assert shown[0].endswith(" -- connected")
    assert any(" C: EHLO asker.example" in line for line in shown)
    assert any(line.endswith(f" C: RCPT TO:<{'x' * 90}@alpha.example>") for line in shown)


def test_without_a_server_and_with_a_bad_source_it_says_so(restante: Installation) -> None:
    refused = restante.run("trace-session", "--source", "everybody")
    assert "source: neither an address nor a network: 'everybody'; write one" in refused.stderr
    refused = restante.run("trace-session", "--source", "10.0.0.1/8")
    assert "'10.0.0.1/8' (is it 10.0.0.1 or 10.0.0.0/8?); write one" in refused.stderr
    restante.stop()
    refused = restante.run("trace-session", "--source", "::1")
    assert refused.returncode == 69
