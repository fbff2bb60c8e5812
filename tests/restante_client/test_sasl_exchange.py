"""Authentication of the client, against the mechanisms of the server and against frauds."""

from __future__ import annotations

import base64
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.cram_md5 import digest as expected
from restante.sasl.mechanism import ScramCredentials
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting, verifier_of
from restante.sasl.scram_messages import server_final
from restante_client.sasl_exchange import (
    MAX_ITERATIONS,
    BadExchange,
    ClientCredentials,
    _scram_final,
)
from restante_client.smtp_replies import SmtpAnswer
from tests.cli.answering import answering
from tests.restante_client.conftest import PASSWORD, Ended, RunClient
from tests.restante_client.local_stub import LocalStub
from tests.restante_client.turning_script import TurningScript

SALTING = Salting(b"salt of the server", 7)


def encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


class ScramServer(TurningScript):
    """Checks a password by the server's own SCRAM."""

    password = PASSWORD
    exchange: ScramSha256 | None = None
    is_honest = True
    is_answered = False

    def reply(self, line: str) -> str:
        begun, _, initial = line.partition(" SCRAM-SHA-256 ")
        if begun == "AUTH":
            self.exchange = ScramSha256("SERVER", lambda _user: SALTING)
            return f"334 {encoded(self.exchange.begin(base64.b64decode(initial)).text)}"
        if self.exchange is not None:
            exchange, self.exchange = self.exchange, None
            return self._judge(exchange.respond(base64.b64decode(line)))
        if self.is_answered and not line:
            return "235 2.7.0 fine"
        return super().reply(line)

    def _judge(self, credentials: object) -> str:
        assert isinstance(credentials, ScramCredentials)
        verifier = verifier_of(self.password, SALTING)
        signature = verifier.check(credentials.auth_message, credentials.proof)
        if signature is None:
            return "535 5.7.8 wrong"
        self.is_answered = True
        return f"334 {encoded(server_final(signature if self.is_honest else bytes(32)))}"


def turned(client: RunClient, script: TurningScript, who: list[str]) -> Ended:
    with LocalStub() as local, answering(script):
        return client("turn", f"localhost:{script.port}", "--local", local.address, *who)


@pytest.fixture
def scram(context: ssl.SSLContext) -> ScramServer:
    script = ScramServer(context)
    script.features[-1] = "AUTH PLAIN LOGIN SCRAM-SHA-256"
    return script


def test_scram_comes_first_and_agrees_with_the_server(
    client: RunClient, scram: ScramServer, who: list[str]
) -> None:
    ended = turned(client, scram, who)
    assert ended.code == 0, ended.err
    assert [line.split()[1] for line in scram.heard if line.startswith("AUTH")] == ["SCRAM-SHA-256"]


def test_a_server_that_does_not_know_the_password_gets_nothing(
    client: RunClient, scram: ScramServer, who: list[str]
) -> None:
    scram.is_honest = False
    ended = turned(client, scram, who)
    assert ended.code == 69
    assert "the server did not prove that it knows the password" in ended.err
    assert not [line for line in scram.heard if line.startswith(("AUTH PLAIN", "ATRN"))]


def test_cram_md5_agrees_with_the_server(
    client: RunClient, context: ssl.SSLContext, who: list[str]
) -> None:
    challenge = b"<1.2@mx2.example.net>"

    class CramServer(TurningScript):
        def reply(self, line: str) -> str:
            if line == "AUTH CRAM-MD5":
                return f"334 {encoded(challenge)}"
            if self.heard[-2:-1] == ["AUTH CRAM-MD5"]:
                user, _, digest = base64.b64decode(line).decode().rpartition(" ")
                is_right = (user, digest) == ("acme-mail", expected(PASSWORD, challenge))
                return "235 fine" if is_right else "535 wrong"
            return super().reply(line)

    script = CramServer(context)
    assert turned(client, script, [*who, "--auth", "cram-md5"]).code == 0


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "r=x",
        "r=other,s=c2FsdA==,i=7",
        "r=nonce,s=c2FsdA==,i=7",  # nothing of its own
        "r=nonceX,s=!,i=7",
        "r=nonceX,s=c2FsdA==,i=0",
        "r=nonceX,s=c2FsdA==,i=-1",
        f"r=nonceX,s=c2FsdA==,i={MAX_ITERATIONS + 1}",
        "r=nonce" + "X" * 4000 + ",s=c2FsdA==,i=7",
        "m=ext,r=nonceX,s=c2FsdA==,i=7",
    ],
)
def test_a_challenge_that_does_not_fit_is_not_answered(challenge: str) -> None:
    with pytest.raises(BadExchange):
        _scram_final(PASSWORD, "nonce", "n=u,r=nonce", challenge)


@given(st.text(max_size=60))
def test_any_challenge_is_answered_or_refused(challenge: str) -> None:
    try:
        _scram_final("x", "nonce", "n=u,r=nonce", challenge)
    except BadExchange:
        return


@pytest.mark.parametrize(
    "form", [PASSWORD, encoded(PASSWORD.encode()).lower(), "C O R R E C T hörse"]
)
def test_a_reply_that_repeats_the_password_is_withheld(form: str) -> None:
    credentials = ClientCredentials("acme-mail", PASSWORD)
    assert credentials.told(SmtpAnswer(535, (f"what is {form}?",))).startswith("its text is not")
    assert credentials.told(SmtpAnswer(535, ("wrong",))) == "wrong"
    assert PASSWORD not in repr(credentials)
