"""SaslCredentials of each kind: right, wrong, and of logins that do not exist."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from argon2 import low_level

from restante.admin.login_rotation import rotated
from restante.reception.authentication import Authenticator, ProvedLogin, identified
from restante.reception.credential_lanes import (
    CheckOmitted,
    LanePosition,
    password_lanes,
    proof_lanes,
)
from restante.sasl.auth_login import AuthLogin
from restante.sasl.cram_md5 import CramMd5, digest
from restante.sasl.mechanism import (
    CertificateCredentials,
    Challenge,
    DigestCredentials,
    PasswordCredentials,
    SaslCredentials,
    ScramCredentials,
)
from restante.sasl.plain import PlainExchange
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_client import ScramClient
from restante.sasl.scram_keys import Salting, salted_password, verifier_of
from restante.tenancy import passwords
from restante.tenancy.login_certificate import LoginCertificate
from restante.tenancy.model import Directory, Login
from restante.tenancy.passwords import hash_password
from restante.tenancy.saslprep import prepared
from restante.tenancy.sealed_secrets import Vault, login_owner, new_sealing_key, verifier_owner

PASSWORD = "a password"
CHALLENGE = b"<1@mx2.example.net>"
VAULT = Vault(bytes(32))
SALTING = Salting(b"salt of anna", 4096)
VERIFIER = VAULT.seal(verifier_of(PASSWORD, SALTING).text, verifier_owner("anna"))
ANNA = Login("anna", "alpha", hash_password(PASSWORD), None, 0.0, VERIFIER)
CARL = Login("carl", "alpha", ANNA.password_hash, VAULT.seal(PASSWORD, login_owner("carl")), 0.0)
MOVED = Login(
    "moved", "alpha", "", Vault(new_sealing_key()).seal(PASSWORD, login_owner("moved")), 0.0
)
DIRECTORY = Directory(logins={one.user: one for one in (ANNA, CARL, MOVED)})


@pytest.fixture
def authenticator() -> Iterator[Authenticator]:
    """An authenticator with threads of its own."""
    made = Authenticator(VAULT, password_lanes(2), proof_lanes(2))
    yield made
    made.close()


def prove(
    authenticator: Authenticator, credentials: SaslCredentials
) -> ProvedLogin | CheckOmitted | None:
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    return asyncio.run(authenticator.authenticate(credentials, DIRECTORY, place))


def scram(
    authenticator: Authenticator, user: str, password: str
) -> tuple[ScramClient, ScramCredentials]:
    """Return the client, and the credentials that it proves."""
    client = ScramClient(user, "abc")
    exchange = ScramSha256("def", lambda name: authenticator.salting(name, DIRECTORY))
    challenge = exchange.begin(client.first())
    salting = client.take_server_first(challenge.text)
    credentials = exchange.respond(client.final(salted_password(password, salting)))
    assert isinstance(credentials, ScramCredentials)
    return client, credentials


@pytest.mark.parametrize(
    ("user", "password", "login"),
    [
        ("anna", PASSWORD, ANNA),
        ("anna", "another", None),
        ("anna", "", None),
        ("nobody", PASSWORD, None),
        ("moved", PASSWORD, None),
    ],
)
def test_a_password(
    authenticator: Authenticator, user: str, password: str, login: Login | None
) -> None:
    proved = prove(authenticator, PasswordCredentials(user, password))
    assert proved == (ProvedLogin(login) if login else None)


@pytest.mark.parametrize(
    ("user", "password", "login"),
    [
        ("carl", PASSWORD, CARL),
        ("carl", "another", None),
        ("anna", PASSWORD, None),  # it may not use CRAM-MD5
        ("nobody", PASSWORD, None),
        ("moved", PASSWORD, None),  # sealed under another key file
    ],
)
def test_a_digest(
    authenticator: Authenticator, user: str, password: str, login: Login | None
) -> None:
    answer = DigestCredentials(user, CHALLENGE, digest(password, CHALLENGE))
    assert prove(authenticator, answer) == (ProvedLogin(login) if login else None)


@pytest.mark.parametrize(("user", "login"), [("anna", ANNA), ("carl", CARL)])
def test_a_proof_is_answered_by_our_own(
    authenticator: Authenticator, user: str, login: Login
) -> None:
    client, credentials = scram(authenticator, user, PASSWORD)
    proved = prove(authenticator, credentials)
    assert isinstance(proved, ProvedLogin)
    assert proved.login is login
    client.take_server_final(proved.last_word)
    client.require_proof()


@pytest.mark.parametrize(
    ("user", "password"), [("anna", "another"), ("nobody", PASSWORD), ("moved", PASSWORD)]
)
def test_a_wrong_proof(authenticator: Authenticator, user: str, password: str) -> None:
    assert prove(authenticator, scram(authenticator, user, password)[1]) is None


def test_the_salt_of_a_login_is_its_own_and_others_get_one_too(
    authenticator: Authenticator,
) -> None:
    assert authenticator.salting("anna", DIRECTORY) == SALTING
    made_up = authenticator.salting("nobody", DIRECTORY)
    assert made_up == authenticator.salting("nobody", Directory())
    assert len(made_up.salt) == 16


def test_past_its_limit_a_check_for_a_stranger_is_put_off(authenticator: Authenticator) -> None:
    authenticator.set_limit(0)
    credentials = PasswordCredentials("anna", PASSWORD)
    assert prove(authenticator, credentials) is CheckOmitted.UNCHECKED
    carl = DigestCredentials("carl", CHALLENGE, digest(PASSWORD, CHALLENGE))
    assert prove(authenticator, carl) == ProvedLogin(CARL)  # a digest waits for nothing


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("pa\u0308ssword \u2168", "p\u00e4ssword IX"),
        ("p\u00e4ssword IX", "pa\u0308ss\u00adword\u00a0\u2168"),
        ("p\u00e4ssword \U0001f511", "p\u00e4ssword \U0001f511"),
    ],
)
def test_one_password_is_good_by_each_mechanism_in_each_form(
    authenticator: Authenticator, stored: str, typed: str
) -> None:
    secret = VAULT.seal(stored, login_owner("dora"))
    verifier = VAULT.seal(verifier_of(stored, SALTING).text, verifier_owner("dora"))
    dora = Login("dora", "alpha", hash_password(stored), secret, 0.0, verifier)
    directory = Directory(logins={"dora": dora})
    client = ScramClient("d\u00adora", "abc")  # names have one form too
    exchange = ScramSha256("def", lambda name: authenticator.salting(name, directory))
    salting = client.take_server_first(exchange.begin(client.first()).text)
    proof = exchange.respond(client.final(salted_password(typed, salting)))
    name = "d\u00adora"
    login, cram = AuthLogin(), CramMd5(CHALLENGE)
    login.begin(name.encode())
    answers = [digest(form, CHALLENGE) for form in (stored, prepared(typed))]
    attempts = [
        proof,
        PlainExchange().begin(f"\0{name}\0{typed}".encode()),
        login.respond(typed.encode()),
        *(cram.respond(f"{name} {answer}".encode()) for answer in answers),
    ]
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    for attempt in attempts:
        assert not isinstance(attempt, Challenge)
        proved = asyncio.run(authenticator.authenticate(attempt, directory, place))
        assert isinstance(proved, ProvedLogin), attempt
        assert proved.login is dora


def test_a_login_that_does_not_exist_is_compared_with_no_hash() -> None:
    compared: list[Sequence[str]] = []

    def matches(hashes: Sequence[str], _password: str) -> bool:
        compared.append(hashes)
        return True  # even then nobody is admitted

    made = Authenticator(VAULT, password_lanes(2), proof_lanes(2), matches=matches)
    assert prove(made, PasswordCredentials("nobody", PASSWORD)) is None
    assert compared == [[]]
    made.close()


def in_rotation(password: str) -> Login:
    """Carl's login with a new password, and the present one good until 7."""
    return rotated(VAULT, CARL, password, until=7.0)


def tried(login: Login, password: str, at: float) -> set[str]:
    """Return the mechanisms by which a password is good at a time."""
    made = Authenticator(VAULT, password_lanes(2), proof_lanes(2), now=lambda: at)
    directory = Directory(logins={login.user: login})
    client = ScramClient(login.user, "abc")
    exchange = ScramSha256("def", lambda name: made.salting(name, directory))
    salting = client.take_server_first(exchange.begin(client.first()).text)
    proof = exchange.respond(client.final(salted_password(password, salting)))
    assert isinstance(proof, ScramCredentials)
    ways: dict[str, SaslCredentials] = {
        "PLAIN": PasswordCredentials(login.user, password),
        "CRAM-MD5": DigestCredentials(login.user, CHALLENGE, digest(password, CHALLENGE)),
        "SCRAM": proof,
    }
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    good = {
        name
        for name, credentials in ways.items()
        if asyncio.run(made.authenticate(credentials, directory, place)) is not None
    }
    made.close()
    return good


EVERY_WAY = {"PLAIN", "CRAM-MD5", "SCRAM"}


def test_during_a_rotation_two_passwords_are_good_by_every_mechanism() -> None:
    login = in_rotation("the new password")
    assert tried(login, PASSWORD, 6.9) == EVERY_WAY
    assert tried(login, "the new password", 6.9) == EVERY_WAY
    assert tried(login, "another", 6.9) == set()


def test_after_a_rotation_the_old_password_is_wrong() -> None:
    login = in_rotation("the new password")
    assert tried(login, PASSWORD, 7.0) == set()
    assert tried(login, "the new password", 7.0) == EVERY_WAY


def test_a_rotation_costs_no_more_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    login, made = in_rotation("the new password"), []
    real = low_level.hash_secret

    def counted(*args: Any, **costs: Any) -> bytes:
        made.append(args)
        return real(*args, **costs)

    monkeypatch.setattr(passwords, "hash_secret", counted)
    assert tried(login, "another", 0.0) == set()
    assert len(made) == 2  # one with the usual costs and a light one, as for any other login


def test_an_expired_login_says_so_only_with_the_right_password() -> None:
    login = replace(CARL, valid_until=5.0)
    directory = Directory(logins={"carl": login})
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    made = Authenticator(VAULT, password_lanes(2), proof_lanes(2), now=lambda: 5.0)
    right = DigestCredentials("carl", CHALLENGE, digest(PASSWORD, CHALLENGE))
    wrong = DigestCredentials("carl", CHALLENGE, digest("another", CHALLENGE))
    proved = asyncio.run(made.authenticate(right, directory, place))
    assert proved == ProvedLogin(login, has_expired=True)
    assert asyncio.run(made.authenticate(wrong, directory, place)) is None
    made.close()


MAIL_KEY, OTHER_KEY = "ab" * 32, "cd" * 32
WITH_CERTIFICATE = replace(
    ANNA, certificates=(LoginCertificate("PEM", MAIL_KEY, "CN=anna", expires_at=9.0),)
)
CERTIFIED = Directory(logins={"anna": WITH_CERTIFICATE, "carl": CARL})


@pytest.mark.parametrize(
    ("asked", "key", "now", "user"),
    [
        ("", MAIL_KEY, 5.0, "anna"),
        ("anna", MAIL_KEY, 5.0, "anna"),
        ("anna", MAIL_KEY, 9.0, None),  # the certificate has expired
        ("anna", OTHER_KEY, 5.0, None),
        ("anna", "", 5.0, None),
        ("", "", 5.0, None),
        ("carl", MAIL_KEY, 5.0, None),  # nobody acts for another
        ("carl", "", 5.0, None),
        ("nobody", MAIL_KEY, 5.0, None),
    ],
)
def test_a_certificate_proves_the_login_that_has_its_key(
    asked: str, key: str, now: float, user: str | None
) -> None:
    made = Authenticator(VAULT, password_lanes(2), proof_lanes(2), now=lambda: now)
    credentials = identified(CertificateCredentials(asked), key, CERTIFIED)
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    proved = asyncio.run(made.authenticate(credentials, CERTIFIED, place))
    assert (proved.login.user if isinstance(proved, ProvedLogin) else None) == user
    made.close()


def test_a_key_of_two_logins_needs_the_name_of_one() -> None:
    twice = Directory(logins={"anna": WITH_CERTIFICATE, "b": replace(WITH_CERTIFICATE, user="b")})
    assert identified(CertificateCredentials(""), MAIL_KEY, twice).user == ""
    assert identified(CertificateCredentials("b"), MAIL_KEY, twice).user == "b"


def test_other_credentials_stay_as_they_are() -> None:
    credentials = PasswordCredentials("anna", PASSWORD)
    assert identified(credentials, MAIL_KEY, CERTIFIED) is credentials


def test_a_login_without_a_password_has_none_that_could_be_guessed(
    authenticator: Authenticator,
) -> None:
    bare = replace(WITH_CERTIFICATE, password_hash="", sealed_secret=None, sealed_verifier=None)
    directory = Directory(logins={"anna": bare})
    place = LanePosition(is_authorized_host=False, share="192.0.2.1")
    client = ScramClient("anna", "abc")
    exchange = ScramSha256("def", lambda name: authenticator.salting(name, directory))
    salting = client.take_server_first(exchange.begin(client.first()).text)
    for credentials in (
        PasswordCredentials("anna", ""),
        PasswordCredentials("anna", PASSWORD),
        DigestCredentials("anna", CHALLENGE, digest("", CHALLENGE)),
        exchange.respond(client.final(salted_password("", salting))),
    ):
        assert not isinstance(credentials, Challenge)
        assert asyncio.run(authenticator.authenticate(credentials, directory, place)) is None
