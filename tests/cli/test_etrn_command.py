"""A session that asks a backup MX for mail: TLS first, proof of both sides, plain errors."""

import base64
import hmac
import ssl
from pathlib import Path

import pytest
import trustme

from restante.sasl.mechanism import ScramCredentials
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting, verifier_of
from restante.sasl.scram_messages import server_final
from tests.cli.answering import Script, answering
from tests.cli.conftest import Command, Outcome

PASSWORD = "correct hörse"
PLAIN = base64.b64encode(f"\0primary\0{PASSWORD}".encode()).decode()
USER = base64.b64encode(b"primary").decode()
SECRET = base64.b64encode(PASSWORD.encode()).decode()
SALTING = Salting(b"salt of the server", 7)


def encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def script(context: ssl.SSLContext) -> Script:
    return Script(
        context, replies={"AUTH PLAIN": "235 2.7.0 fine", "ETRN": "253 OK, 2 pending messages"}
    )


@pytest.fixture
def asks(command: Command, authority: trustme.CA, tmp_path: Path) -> "Asks":
    return Asks(command, authority, tmp_path)


class Asks:
    """`restante etrn` with the options that every test gives."""

    def __init__(self, command: Command, authority: trustme.CA, directory: Path) -> None:
        self._command = command
        self._ca, self._password = directory / "ca.pem", directory / "password"
        authority.cert_pem.write_to_path(str(self._ca))
        self._password.write_text(f"{PASSWORD}\nnot this\n", encoding="utf-8")

    def __call__(
        self, script: Script, *arguments: str, host: str = "localhost", trusts: bool = True
    ) -> Outcome:
        given = ["--login", "primary", "--password-file", str(self._password), "--timeout", "5"]
        given += ["--ca", str(self._ca)] if trusts else []
        with answering(script):
            return self._command("etrn", f"{host}:{script.port}", *arguments, *given)


def test_a_session_asks_for_each_domain_and_says_the_answers_in_words(
    script: Script, asks: Asks
) -> None:
    script.replies = {"ETRN NONE": "251 nothing", **script.replies}
    outcome = asks(script, "Alpha.example", "none.example", "@bücher.example", "#alpha")
    assert outcome.code == 0
    assert outcome.out.splitlines()[:2] == [
        "Alpha.example: pending messages started (253 OK, 2 pending messages)",
        "none.example: no messages waiting (251 nothing)",
    ]
    assert script.heard[1:] == [
        f"AUTH PLAIN {PLAIN}",
        "ETRN alpha.example",
        "ETRN none.example",
        "ETRN @xn--bcher-kva.example",
        "ETRN #alpha",
        "QUIT",
    ]


def test_starttls_comes_before_the_password(script: Script, asks: Asks) -> None:
    script.is_implicit = False
    script.features.append("STARTTLS")
    script.replies["STARTTLS"] = "220 go on"
    assert asks(script, "alpha.example", "--tls", "starttls").code == 0
    assert [line.split()[0].upper() for line in script.heard] == [
        "EHLO",
        "STARTTLS",
        "EHLO",
        "AUTH",
        "ETRN",
        "QUIT",
    ]


@pytest.mark.parametrize("feature", ["STARTTLS", "HELP"])
def test_without_tls_the_password_is_never_sent(script: Script, asks: Asks, feature: str) -> None:
    script.is_implicit = False
    script.features.append(feature)
    script.replies["STARTTLS"] = "454 not now"
    outcome = asks(script, "alpha.example", "--tls", "starttls")
    assert outcome.code in (69, 75)
    assert "the password is not sent without TLS" in outcome.err
    assert not [line for line in script.heard if line.startswith("AUTH")]


@pytest.mark.parametrize("way", ["unknown authority", "another name"])
def test_a_certificate_that_is_not_trusted_gets_no_password(
    context: ssl.SSLContext, authority: trustme.CA, asks: Asks, way: str
) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)
    script = Script(other if way == "another name" else context)
    outcome = asks(script, "alpha.example", trusts=way == "another name")
    assert outcome.code == 69
    assert "its certificate is not trusted" in outcome.err
    assert ".;" not in outcome.err
    assert script.heard == []


def test_cram_md5_answers_the_challenge(script: Script, asks: Asks) -> None:
    challenge = b"<1.2@mx2.example.net>"
    digest = hmac.new(PASSWORD.encode(), challenge, "md5").hexdigest()
    answer = base64.b64encode(f"primary {digest}".encode()).decode()
    script.replies["AUTH CRAM-MD5"] = f"334 {base64.b64encode(challenge).decode()}"
    script.replies[answer.upper()] = "235 2.7.0 fine"
    assert asks(script, "alpha.example", "--auth", "cram-md5").code == 0
    assert answer in script.heard


def test_login_gives_user_name_and_password_when_asked(script: Script, asks: Asks) -> None:
    """With any words in the prompts: servers have many."""
    script.features = ["ETRN", "AUTH X-NONE, LOGIN"]
    script.replies |= {
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): "235 2.7.0 fine",
    }
    assert asks(script, "alpha.example", "--auth", "login").code == 0
    assert script.heard[1:4] == ["AUTH LOGIN", USER, SECRET]
    script.heard.clear()
    assert asks(script, "alpha.example").code == 0  # where nothing else is offered
    assert script.heard[1:4] == ["AUTH LOGIN", USER, SECRET]


@pytest.mark.parametrize(
    ("reply", "code", "cause"),
    [
        ("535 5.7.8 wrong", 77, "(535 5.7.8 wrong); check --login and --password-file"),
        ("454 4.7.0 later", 75, "(454 4.7.0 later); ask again later"),
        ("334 eA==", 69, "it sent an unexpected challenge after AUTH LOGIN; try another --auth"),
    ],
)
def test_login_in_vain_is_reported_plainly(
    script: Script, asks: Asks, reply: str, code: int, cause: str
) -> None:
    script.features = ["ETRN", "AUTH X-NONE, LOGIN"]
    script.replies |= {
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): reply,
    }
    outcome = asks(script, "alpha.example", "--auth", "login")
    assert outcome.code == code
    assert cause in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert SECRET not in outcome.err
    assert not [line for line in script.heard if line.startswith("ETRN")]


def test_login_is_not_begun_where_it_is_not_offered(script: Script, asks: Asks) -> None:
    outcome = asks(script, "alpha.example", "--auth", "login")
    assert outcome.code == 69
    assert "does not offer AUTH LOGIN, but PLAIN CRAM-MD5" in outcome.err
    assert len(script.heard) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "CRAM-MD5"])
def test_any_further_challenge_is_reported_plainly(
    script: Script, asks: Asks, mechanism: str
) -> None:
    """The server asks again and again."""
    script.replies = {"AUTH": "334 eA==", "C": "334 eA=="}  # "primary …" begins so in base64
    outcome = asks(script, "alpha.example", "--auth", mechanism.lower())
    assert outcome.code == 69
    assert (
        f"it sent an unexpected challenge after AUTH {mechanism}; try another --auth" in outcome.err
    )


class ScramScript(Script):
    """Knows a password, and checks it by SCRAM."""

    password = PASSWORD
    refusal = "535 5.7.8 wrong"
    proof: bytes | None = None  # that it gives instead of its own
    ending = "235 2.7.0 fine"
    exchange: ScramSha256 | None = None
    is_answered = False

    def reply(self, line: str) -> str:
        begun, _, initial = line.partition(" SCRAM-SHA-256 ")
        if begun == "AUTH":
            self.exchange = ScramSha256("SERVER", lambda _user: SALTING)
            return f"334 {encoded(self.exchange.begin(base64.b64decode(initial)).text)}"
        if self.exchange is not None:
            exchange, self.exchange = self.exchange, None
            return self._reply_to_proof(exchange.respond(base64.b64decode(line)))
        if self.is_answered and not line:
            return self.ending
        return super().reply(line)

    def _reply_to_proof(self, credentials: object) -> str:
        assert isinstance(credentials, ScramCredentials)
        assert credentials.user == "primary"
        verifier = verifier_of(self.password, SALTING)
        signature = verifier.check(credentials.auth_message, credentials.proof)
        if signature is None:
            return self.refusal
        self.is_answered = True
        return f"334 {encoded(server_final(signature if self.proof is None else self.proof))}"


@pytest.fixture
def scram(context: ssl.SSLContext) -> ScramScript:
    script = ScramScript(
        context, replies={"AUTH PLAIN": "235 fine", "ETRN": "253 OK, 2 pending messages"}
    )
    script.features = ["ETRN", "AUTH PLAIN LOGIN SCRAM-SHA-256"]
    return script


def authentications(script: Script) -> list[str]:
    return [line.split()[1] for line in script.heard if line.startswith("AUTH")]


@pytest.mark.parametrize("arguments", [[], ["--auth", "scram-sha-256"]])
def test_scram_is_preferred_and_both_sides_prove_themselves(
    scram: ScramScript, asks: Asks, arguments: list[str]
) -> None:
    assert asks(scram, "alpha.example", *arguments).code == 0
    assert authentications(scram) == ["SCRAM-SHA-256"]
    assert scram.heard[-3:] == ["", "ETRN alpha.example", "QUIT"]


@pytest.mark.parametrize("refusal", ["535 5.7.8 wrong", "454 4.7.0 generic failure"])
def test_a_server_that_refuses_scram_is_asked_by_the_next_mechanism(
    scram: ScramScript, asks: Asks, refusal: str
) -> None:
    """It may keep another hash of this login, or find none just now."""
    scram.password = "of nobody"
    scram.refusal = refusal
    assert asks(scram, "alpha.example").code == 0
    assert authentications(scram) == ["SCRAM-SHA-256", "PLAIN"]


def test_a_mechanism_that_was_named_is_the_only_one(scram: ScramScript, asks: Asks) -> None:
    scram.password = "of nobody"
    outcome = asks(scram, "alpha.example", "--auth", "scram-sha-256")
    assert outcome.code == 77
    assert authentications(scram) == ["SCRAM-SHA-256"]


def test_a_server_that_does_not_prove_itself_gets_neither_password_nor_request(
    scram: ScramScript, asks: Asks
) -> None:
    scram.proof = bytes(32)
    outcome = asks(scram, "alpha.example")
    assert outcome.code == 69
    assert "the server did not prove that it knows the password; check the server" in outcome.err
    assert authentications(scram) == ["SCRAM-SHA-256"]
    assert not [line for line in scram.heard if line.startswith("ETRN")]


def test_scram_that_does_not_end_is_reported_plainly(scram: ScramScript, asks: Asks) -> None:
    scram.ending = "334 eA=="
    outcome = asks(scram, "alpha.example")
    assert outcome.code == 69
    assert "it sent an unexpected challenge after AUTH SCRAM-SHA-256" in outcome.err


@pytest.mark.parametrize("challenge", ["334 !!!", "334 eA==", "235 come in"])
def test_a_bad_challenge_of_scram_is_reported_plainly(
    script: Script, asks: Asks, challenge: str
) -> None:
    script.features = ["ETRN", "AUTH SCRAM-SHA-256"]
    script.replies["AUTH"] = challenge
    outcome = asks(script, "alpha.example")
    assert outcome.code == 69
    assert len(outcome.err.splitlines()) == 1
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("beginning", "reply", "code"),
    [
        ("AUTH PLAIN", "535 5.7.8 wrong", 77),
        ("AUTH PLAIN", "454 4.7.0 later", 75),
        ("ETRN", "459 4.7.1 not allowed", 77),
        ("ETRN", "458 4.0.0 unable", 75),
        ("ETRN", "530 5.7.0 authenticate", 77),
        ("ETRN", "501 5.5.4 bad", 65),
        ("ETRN", "502 5.5.1 what", 69),
    ],
)
def test_the_exit_code_follows_the_reply(
    script: Script, asks: Asks, beginning: str, reply: str, code: int
) -> None:
    script.replies[beginning] = reply
    outcome = asks(script, "alpha.example")
    assert outcome.code == code
    assert PLAIN not in outcome.err


def test_a_rude_goodbye_changes_nothing(script: Script, asks: Asks) -> None:
    script.replies["QUIT"] = "\0" * 9000  # more than a line may have: smtplib hangs up
    assert asks(script, "alpha.example").code == 0


def test_the_worst_answer_is_the_exit_code(script: Script, asks: Asks) -> None:
    script.replies = {"ETRN ONE": "458 later", "ETRN TWO": "459 no", **script.replies}
    assert asks(script, "one.example", "two.example", "three.example").code == 77


@pytest.mark.parametrize(("greeting", "code"), [("421 busy", 75), ("554 go away", 69), ("", 75)])
def test_a_server_that_does_not_want_to_talk(
    script: Script, asks: Asks, greeting: str, code: int
) -> None:
    script.greeting = greeting
    outcome = asks(script, "alpha.example")
    assert outcome.code == code
    assert len(outcome.err.splitlines()) == 1


def test_a_server_that_offers_no_auth_is_named_so(script: Script, asks: Asks) -> None:
    script.features = ["ETRN"]
    outcome = asks(script, "alpha.example")
    assert outcome.code == 69
    assert "no AUTH at all" in outcome.err


@pytest.mark.parametrize("domain", ["a b", "", "@", "#", "no\r\nQUIT", "#a b", "ä" * 70])
def test_an_invalid_target_is_never_sent(command: Command, domain: str) -> None:
    arguments = ("etrn", "localhost:1", domain, "--login", "p", "--password-file", "-")
    outcome = command(*arguments, stdin="correct horse")
    assert outcome.code == 64
    assert len(outcome.err.splitlines()) == 1


def test_a_server_that_is_not_there_may_be_there_later(command: Command) -> None:
    outcome = command(
        "etrn", "127.0.0.1:1", "a.example", "--login", "p", "--password-file", "-", stdin="x"
    )
    assert outcome.code == 75
    assert "Connection refused" in outcome.err


def test_an_authority_that_cannot_be_used_is_named(command: Command, tmp_path: Path) -> None:
    asking = (
        "etrn",
        "127.0.0.1:1",
        "a.example",
        "--login",
        "p",
        "--password-file",
        "-",
        "--ca",
        tmp_path / "none",
    )
    assert command(*asking, stdin="x").code == 66


@pytest.mark.parametrize("refusal", ["504 5.5.4 unknown mechanism", "534 5.7.9 too weak"])
def test_a_refused_mechanism_is_followed_by_the_next(
    script: Script, asks: Asks, refusal: str
) -> None:
    script.features = ["ETRN", "AUTH PLAIN LOGIN"]
    script.replies |= {
        "AUTH PLAIN": refusal,
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): "235 2.7.0 fine",
    }
    assert asks(script, "alpha.example").code == 0


@pytest.mark.parametrize("reply", ["535 5.7.8 what is {}?", "no reply: {}", "421 bye {}"])
def test_a_reply_that_repeats_the_password_is_not_shown(
    script: Script, asks: Asks, reply: str
) -> None:
    script.features = ["ETRN", "AUTH X-NONE, LOGIN"]
    script.replies |= {
        "AUTH LOGIN": "334 VXNlcm5hbWU6",
        USER.upper(): "334 eA==",
        SECRET.upper(): reply.format(SECRET.lower()),
    }
    outcome = asks(script, "alpha.example")
    assert outcome.code != 0
    assert SECRET.lower() not in outcome.err.lower()


@pytest.mark.parametrize("reply", ["nonsense", "354 go on", "199 well"])
def test_an_odd_reply_to_etrn_is_no_success(script: Script, asks: Asks, reply: str) -> None:
    script.replies |= {"AUTH": "235 fine", "ETRN": reply}
    outcome = asks(script, "alpha.example")
    assert outcome.code == 69


def test_the_password_file_must_hold_one(command: Command, tmp_path: Path) -> None:
    asking = ("etrn", "127.0.0.1:1", "a.example", "--login", "p", "--password-file")
    (tmp_path / "empty").write_text("\nsecond")
    assert command(*asking, tmp_path / "empty").code == 64
    assert command(*asking, tmp_path / "none").code == 66
    assert command(*asking, "-").code == 64
