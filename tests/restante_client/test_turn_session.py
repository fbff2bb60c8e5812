"""A turnaround as on the wire: the greeting first, octets both ways, an end that loses nothing."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from restante_client.turn_session import _counts
from restante_client.turn_tally import MAX_WAITING, TurnTally
from tests.cli.answering import answering
from tests.restante_client.conftest import PASSWORD, Ended, RunClient
from tests.restante_client.local_stub import LocalStub
from tests.restante_client.test_client_package import TOP, interpreters
from tests.restante_client.turning_script import BY_DATA, CONTENT, TurningScript, by_bdat

PLAIN = base64.b64encode(f"\0acme-mail\0{PASSWORD}".encode()).decode()


def turned(client: RunClient, script: TurningScript, local: LocalStub, *words: object) -> Ended:
    with answering(script):
        server = f"localhost:{script.port}"
        return client("turn", server, *words, "--local", local.address, "--timeout", "5s")


def test_mail_comes_over_the_connection_that_asked(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context)
    with LocalStub() as local:
        ended = turned(client, script, local, "acme.example", "Zwei.example", *who)
    assert ended.code == 0, ended.err
    assert ended.out == f"localhost:{script.port}: 1 message delivered\n"
    assert [line.split(" ")[0] for line in script.heard] == [
        "EHLO",
        "STARTTLS",
        "EHLO",
        "AUTH",
        "ATRN",
    ]
    assert script.heard[3:] == [f"AUTH PLAIN {PLAIN}", "ATRN acme.example,zwei.example"]
    assert local.heard == [
        "EHLO mx2.example.net",
        "MAIL FROM:<a@b.example>",
        "RCPT TO:<c@acme.example>",
        "DATA",
        "QUIT",
    ]
    assert local.contents == [CONTENT]
    assert script.got[0] == b"220 local ESMTP\r\n"
    assert script.got[-1] == b"221 bye\r\n"
    assert script.saw_end


def test_no_name_asks_for_all_domains(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context, is_implicit=True)
    with LocalStub() as local:
        assert turned(client, script, local, *who, "--tls", "implicit").code == 0
    assert script.heard[-1] == "ATRN"


def test_a_flight_of_large_messages_passes_byte_for_byte(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    """More than the buffers hold, with octets that look like commands and ends of content."""
    line = b".\r\nBDAT 7 LAST\r\nQUIT\r\n\x00\xff"
    contents = [line * 40_000, b"", b"x" * 3_000_000]
    script = TurningScript(context, flights=by_bdat(*contents))
    with LocalStub() as local:
        ended = turned(client, script, local, *who)
    assert ended.code == 0, ended.err
    assert ended.out.endswith(": 3 messages delivered\n")
    assert local.contents == contents


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("450 4.7.1 ATRN request refused", (75, "refused: a domain is not of this login")),
        ("451 4.3.2 Unable", (75, "not possible now; try again later")),
        ("453 4.2.0 You have no mail", (0, "no mail is held")),
        ("459 4.7.1 what", (77, "ask the operator")),
        ("502 5.5.1 what", (69, "does not offer ATRN here")),
        ("503 5.5.1 order", (69, "expects another command")),
        ("530 5.7.0 authenticate", (77, "requires authentication")),
        ("554 5.0.0 no", (69, "refused")),
        ("354 go on", (69, "refused")),
        ("nonsense", (69, "no SMTP reply")),
    ],
)
def test_each_reply_has_its_exit_code_and_words(
    client: RunClient,
    context: ssl.SSLContext,
    who: list[str],
    reply: str,
    expected: tuple[int, str],
) -> None:
    script = TurningScript(context)
    script.replies["ATRN"] = reply
    with LocalStub() as local:
        ended = turned(client, script, local, "acme.example", *who)
    assert ended.code == expected[0]
    assert expected[1] in ended.out + ended.err
    assert len((ended.out + ended.err).splitlines()) == 1
    assert local.heard == ["QUIT"]  # the local server is left politely


@pytest.mark.parametrize("code", [450, 451, 502])
def test_the_code_of_a_refusal_is_in_the_json(
    client: RunClient, context: ssl.SSLContext, who: list[str], code: int
) -> None:
    script = TurningScript(context)
    script.replies["ATRN"] = f"{code} no"
    with LocalStub() as local:
        assert json.loads(turned(client, script, local, *who, "--json").out)["code"] == code


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_that_the_server_does_not_know_is_named(
    client: RunClient, authority: trustme.CA, ca: Path, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.maximum_version = version
    unknown = tmp_path / "unknown.pem"
    trustme.CA().issue_cert("x.example").private_key_and_cert_chain_pem.write_to_path(str(unknown))
    unknown.chmod(0o600)
    with LocalStub() as local:
        script = TurningScript(context)
        ended = turned(client, script, local, "--certificate", unknown, "--ca", ca)
    assert ended.code in (75, 77)
    assert "certificate of --certificate" in ended.err
    if version is ssl.TLSVersion.TLSv1_2:
        assert "does not accept" in ended.err
        assert "(tlsv1 alert unknown ca); have it registered" in ended.err


def test_a_flood_of_commands_is_not_called_mail() -> None:
    tally = TurnTally()
    tally.take_commands(b"NOOP\r\n" * (MAX_WAITING + 1))
    assert _counts(tally).startswith("at least 0 messages delivered: the session could not")


def test_a_session_that_cannot_be_followed_is_no_success(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context, flights=[(b"", 1), (b"NOOP\r\nQUIT\r\n", 2)])
    with LocalStub(replies={"NOOP": "what is that"}) as local:
        ended = turned(client, script, local, *who, "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["delivered"]) == (75, None)


@pytest.mark.parametrize(("reply", "code"), [("535 5.7.8 wrong", 77), ("454 4.7.0 later", 75)])
def test_a_wrong_password_is_told(
    client: RunClient, context: ssl.SSLContext, who: list[str], reply: str, code: int
) -> None:
    script = TurningScript(context)
    script.replies["AUTH"] = reply
    script.replies.pop("AUTH PLAIN")
    with LocalStub() as local:
        ended = turned(client, script, local, *who)
    assert ended.code == code
    assert not [line for line in script.heard if line.startswith("ATRN")]


@pytest.fixture
def own(authority: trustme.CA, tmp_path: Path) -> Path:
    """A client certificate with its key, in one file."""
    path = tmp_path / "own.pem"
    issued = authority.issue_cert("mail.acme.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def test_a_certificate_logs_in_by_external(
    client: RunClient,
    context: ssl.SSLContext,
    ca: Path,
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = TurningScript(context)
    script.features[-1] = "AUTH PLAIN EXTERNAL"
    script.replies["AUTH EXTERNAL"] = "235 2.7.0 fine"
    with LocalStub() as local:
        ended = turned(
            client, script, local, "--login", "acme-mail", "--certificate", own, "--ca", ca
        )
        assert ended.code == 0, ended.err
        assert script.heard[3] == "AUTH EXTERNAL YWNtZS1tYWls"
        script.heard.clear()
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(own.parent))
        words = ("--certificate", f"credential:{own.name}", "--ca", ca)
        assert turned(client, script, local, *words).code == 0
        assert script.heard[3] == "AUTH EXTERNAL ="


def test_mail_that_the_local_server_does_not_take_is_told(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context, flights=by_bdat(b"one", b"two"))
    with LocalStub(replies={"CONTENT": "550 5.7.1 no spam"}) as local:
        ended = turned(client, script, local, *who, "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["exit"]) == (69, 69)
    assert (told["delivered"], told["refused"], told["deferred"]) == (0, 2, 0)
    assert told["first_refusal"] == "550 5.7.1 no spam"
    with LocalStub(replies={"CONTENT": "452 4.3.1 full"}) as local:
        ended = turned(client, script, local, *who)
    assert ended.code == 75
    assert "2 deferred by the local server (452 4.3.1 full)" in ended.out


@pytest.mark.parametrize("stage", range(1, len(BY_DATA)))
def test_a_provider_that_breaks_off_leaves_the_rest_for_later(
    client: RunClient, context: ssl.SSLContext, who: list[str], stage: int
) -> None:
    script = TurningScript(context, flights=BY_DATA[:stage])
    with LocalStub() as local:
        ended = turned(client, script, local, *who)
    assert ended.code == 75
    assert "turn again later" in ended.out
    assert len(local.contents) == (stage == len(BY_DATA) - 1)


def test_a_provider_that_says_nothing_is_left(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context, flights=[(b"", 2)])  # it waits for a line that never comes
    with LocalStub() as local:
        ended = turned(client, script, local, *who, "--idle", "1s")
    assert ended.code == 75
    assert "neither side said anything for 1 seconds" in ended.out


def test_without_a_local_server_nothing_is_asked(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context)
    with LocalStub() as local:
        address = local.address
    with answering(script):
        ended = client(
            "turn", f"localhost:{script.port}", *who, "--local", address, "--local-wait", "1s"
        )
    assert ended.code == 75
    assert f"{address}: the local mail server does not answer: Connection refused" in ended.err
    assert script.heard == []


def test_octets_in_front_of_tls_are_no_part_of_the_session(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    script = TurningScript(context)
    script.replies["STARTTLS"] = "220 go on\r\n250 injected"
    with LocalStub() as local:
        ended = turned(client, script, local, *who)
    assert ended.code == 69
    assert "sent more behind its reply to STARTTLS" in ended.err


def test_too_many_names_are_not_sent(client: RunClient, who: list[str]) -> None:
    names = [f"{'d' * 60}{number}.example" for number in range(8)]
    with LocalStub() as local:
        ended = client("turn", "localhost:1", *names, *who, "--local", local.address)
    assert ended.code == 64
    assert "name fewer, or none" in ended.err


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path[-40:])
def test_every_python_of_this_machine_fetches_mail(
    context: ssl.SSLContext, who: list[str], python: str
) -> None:
    """TLS, sockets and SASL differ between versions."""
    script = TurningScript(context, flights=by_bdat(b"one", b"x" * 400_000))
    with LocalStub() as local, answering(script):
        words = ["turn", f"localhost:{script.port}", *who, "--local", local.address]
        ended = subprocess.run(
            [python, "-m", "restante_client", *words],
            env={**os.environ, "PYTHONPATH": str(TOP.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(": 2 messages delivered\n")
