"""A login by a client certificate: registered by commands, shown in a real handshake."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.certificates import Authority
from tests.acceptance.installation import Installation
from tests.acceptance.on_both_stores import ON_BOTH_STORES
from tests.acceptance.peers.primary import KeyPair
from tests.acceptance.session import Session

pytestmark = ON_BOTH_STORES
USER = "alpha-mail"
NAMED = f"AUTH EXTERNAL {base64.b64encode(USER.encode()).decode()}"
UNNAMED = "AUTH EXTERNAL ="


@pytest.fixture(scope="module")
def shown(restante: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPair]:
    """The certificate of a login that has nothing else."""
    place = tmp_path_factory.mktemp("certificate")
    restante.do("login", "add", "alpha", USER, "--generate")
    restante.do("login", "certificate", "alpha", USER, "--generate", str(place), "--no-password")
    yield KeyPair(place / f"{USER}.pem", place / f"{USER}.key")
    restante.do("login", "remove", "alpha", USER, "--reason", "the test is over")


def test_a_login_is_proved_without_a_password(restante: Installation, shown: KeyPair) -> None:
    for line in (NAMED, UNNAMED):
        with Session(restante.odmr, shows=shown) as client:
            assert b" EXTERNAL\r\n" in client.offer
            assert client.say(line).startswith(b"235 ")
            assert b"AUTH" not in client.say("EHLO asker.example")
    [first, *_] = restante.events("authentication", login=USER)
    assert (first["mechanism"], first["result"]) == ("EXTERNAL", "accepted")
    assert not restante.shown("login", "show", "alpha", USER)["has_password"]


def test_without_the_certificate_there_is_no_external(
    restante: Installation, shown: KeyPair
) -> None:
    with Session(restante.odmr) as client:
        assert b"EXTERNAL" not in client.offer
        assert client.say(NAMED).startswith(b"504 ")
    for server in (restante.starttls, restante.smtps):  # nobody is asked for one there
        with Session(server, shows=shown) as client:
            assert b"EXTERNAL" not in client.offer


def test_a_certificate_acts_for_its_own_login_only(restante: Installation, shown: KeyPair) -> None:
    restante.do("login", "add", "alpha", "other", "--generate")
    other = base64.b64encode(b"other").decode()
    with Session(restante.odmr, shows=shown) as client:
        assert client.say(f"AUTH EXTERNAL {other}").startswith(b"535 ")
        assert client.say(NAMED).startswith(b"235 ")


def test_a_certificate_that_is_not_registered_fails_in_the_handshake(
    restante: Installation, shown: KeyPair, tmp_path: Path
) -> None:
    assert shown.certificate.exists()
    stranger = Authority(tmp_path, "stranger").issue(USER)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Session(restante.odmr, shows=stranger)


def test_a_certificate_that_was_dropped_proves_nothing_at_once(
    restante: Installation, tmp_path: Path
) -> None:
    restante.do("login", "add", "alpha", "moving", "--generate")
    restante.do("login", "certificate", "alpha", "moving", "--generate", str(tmp_path))
    keys = KeyPair(tmp_path / "moving.pem", tmp_path / "moving.key")
    with Session(restante.odmr, shows=keys) as client:
        assert client.say(UNNAMED).startswith(b"235 ")
    [listed] = restante.shown("login", "certificate", "alpha", "moving")
    restante.do("login", "certificate", "alpha", "moving", "--drop", listed["key"][:16])
    with Session(restante.odmr, shows=keys) as client:
        assert client.say(UNNAMED).startswith(b"535 ")


def test_files_are_never_overwritten_and_the_key_is_private(
    restante: Installation, tmp_path: Path
) -> None:
    restante.do("login", "add", "alpha", "careful", "--generate")
    words = ("login", "certificate", "alpha", "careful", "--generate", str(tmp_path))
    restante.do(*words)
    assert (tmp_path / "careful.key").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "careful.key").read_bytes()
    assert restante.run(*words).returncode == 73
    assert (tmp_path / "careful.key").read_bytes() == before
    unknown = restante.run("login", "certificate", "alpha", "nobody", "--generate", str(tmp_path))
    assert unknown.returncode == 66
    assert not (tmp_path / "nobody.key").exists()
