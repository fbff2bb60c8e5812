"""S9 with a login: a Postfix that wants AUTH, by each mechanism that Cyrus SASL has and we have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.acceptance.certificates import Authority
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.cyrus_sasl import REALM, PasswordAuthority, lock_database, offers_auth
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import KeyPair, Primary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import arrived, message, send

US: Final = Login("mx2", "the password of mx2, käse")
WORDS: Final = ("--tls", "required", "--destination-login", US.user, "--destination-password-stdin")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """The primary's keys."""
    return Authority(tmp_path_factory.mktemp("keys"), "primary").issue("localhost")


@contextmanager
def primary(
    domain: str,
    keys: KeyPair,
    mechanisms: str,
    *,
    known: Login = US,
    authority: PasswordAuthority | None = None,
) -> Iterator[PostfixPrimary]:
    """A Postfix that accepts mail from authenticated clients only."""
    only = {"smtpd_recipient_restrictions": "permit_sasl_authenticated, reject"}
    with PostfixPrimary([domain], keys=keys, settings=only) as postfix:
        offers_auth(postfix, known, mechanisms, authority=authority)
        postfix.start()
        yield postfix


def host(
    restante: Installation, domain: str, primary: Primary, password: str = US.password
) -> None:
    """Host a domain with a message held, whose destination has a login."""
    restante.hosts(domain, at(primary))
    restante.do("domain", "set", domain, *WORDS, typed=password)
    send(restante.mx, f"reader@{domain}", content=message(domain))


def goes(restante: Installation, domain: str, primary: Primary) -> None:
    """Release a domain, and see that its mail arrives."""
    restante.do("release", domain)
    eventually(lambda: message(domain) in arrived(primary), what=f"the mail of {domain}")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "CRAM-MD5", "LOGIN"])
def test_mail_goes_by_the_mechanism_that_is_offered(
    restante: Installation, keys: KeyPair, mechanism: str
) -> None:
    """Each alone."""
    domain = f"{mechanism.lower()}.example"
    with primary(domain, keys, mechanism) as postfix:
        host(restante, domain, postfix)
        goes(restante, domain, postfix)
        assert f"sasl_method={mechanism}, sasl_username={US.user}@{REALM}" in postfix.log()


def test_scram_is_preferred(restante: Installation, keys: KeyPair) -> None:
    """Where Postfix offers all that it has."""
    with primary(
        "all.example", keys, "DIGEST-MD5 LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256"
    ) as postfix:
        host(restante, "all.example", postfix)
        goes(restante, "all.example", postfix)
        assert "sasl_method=SCRAM-SHA-256" in postfix.log()
        assert "authentication failed" not in postfix.log()


def test_a_wrong_password_leaves_the_mail_where_it_is(
    restante: Installation, keys: KeyPair
) -> None:
    """The reason is what Postfix says; the right one is all that it takes."""
    with primary("wrong.example", keys, "SCRAM-SHA-256") as postfix:
        host(restante, "wrong.example", postfix, "not the password")
        restante.do("release", "wrong.example")
        attempt = restante.wait_for_event("delivery-attempt", domain="wrong.example")
        assert attempt["reason"].startswith("AUTH: 535 5.7.8 Error: authentication failed")
        assert postfix.messages() == []
        restante.do("domain", "set", "wrong.example", *WORDS, typed=US.password)
        goes(restante, "wrong.example", postfix)


@pytest.mark.parametrize("reason", ["no such user", "generic failure"])
def test_scram_that_is_offered_and_cannot_work_is_passed_over(
    restante: Installation, keys: KeyPair, reason: str
) -> None:
    """saslauthd has no password that SCRAM could use: SCRAM fails once, and is not tried again."""
    domain, unused = (
        f"{reason.replace(' ', '-')}.example",
        Login("somebody-else", "of another database"),
    )
    with (
        TemporaryDirectory(prefix="restante-sasl-") as place,
        PasswordAuthority(Path(place) / "mux", US) as authority,
        primary(
            domain, keys, "SCRAM-SHA-256 PLAIN LOGIN", known=unused, authority=authority
        ) as postfix,
    ):
        if reason == "generic failure":
            lock_database(postfix)
        host(restante, domain, postfix)
        goes(restante, domain, postfix)
        send(restante.mx, f"reader@{domain}", content=message("the next"))
        restante.do("release", domain)
        postfix.wait_for(2)
        assert authority.asked == 2
        assert postfix.log().count("SASL SCRAM-SHA-256 authentication failed") == 1
        assert ("SCRAM-SHA-256 authentication failed: generic failure" in postfix.log()) == (
            reason == "generic failure"
        )
        assert postfix.log().count("sasl_method=PLAIN") == 2
