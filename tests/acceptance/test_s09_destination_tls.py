"""S9 by key: with `--tls verify` mail goes only to a host with the right certificate or key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.certificates import Authority, key_pin
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import KeyPair, Primary
from tests.acceptance.sample import arrived, message, send


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where keys lie."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def right(directory: Path) -> Authority:
    """The authority that issued the primary's certificate."""
    return Authority(directory, "right")


@pytest.fixture(scope="module")
def wrong(directory: Path) -> Authority:
    """An authority that issued one for the same host name to somebody else."""
    return Authority(directory, "wrong")


@pytest.fixture(scope="module")
def keys(right: Authority) -> KeyPair:
    """The primary's keys, for the host name localhost."""
    return right.issue("localhost")


@pytest.fixture(scope="module")
def primary(keys: KeyPair) -> Iterator[Primary]:
    """A Postfix that offers STARTTLS, for a domain of each test."""
    domains = [f"{name}.example" for name in ("authority", "name", "pin", "opportunistic", "off")]
    with PostfixPrimary(domains, keys=keys) as primary:
        primary.start()
        yield primary


def host(restante: Installation, domain: str, destination: str, *options: str) -> None:
    """Host a domain with a message held."""
    restante.hosts(domain, destination, *options)
    send(restante.mx, f"reader@{domain}", content=message(domain))


def is_refused(restante: Installation, domain: str) -> str:
    """Release a domain, see that its mail does not go, and return why."""
    seen = len(restante.events("delivery-attempt", domain=domain))
    restante.do("release", domain)
    eventually(
        lambda: len(restante.events("delivery-attempt", domain=domain)) > seen, what="an attempt"
    )
    attempt = restante.events("delivery-attempt", domain=domain)[seen]
    assert attempt["delivered"] == 0
    reason: str = attempt["reason"]
    return reason


def goes(restante: Installation, domain: str, primary: Primary) -> None:
    """Release a domain, and see that its mail arrives."""
    restante.do("release", domain)
    eventually(lambda: message(domain) in arrived(primary), what=f"the mail of {domain}")


def test_the_certificate_must_come_from_the_authority(
    restante: Installation, primary: Primary, right: Authority, wrong: Authority
) -> None:
    """Under the wrong one mail stays held; under the right one it goes, encrypted."""
    destination = f"localhost:{primary.port}"
    host(restante, "authority.example", destination, "--tls", "verify", "--tls-ca", str(wrong.file))
    assert "TLS" in is_refused(restante, "authority.example")

    restante.do("domain", "set", "authority.example", "--tls-ca", str(right.file))
    goes(restante, "authority.example", primary)
    attempt = restante.events("delivery-attempt", domain="authority.example")[-1]
    assert attempt["tls_version"].startswith("TLSv1.")
    assert "TLS connection established from" in primary.log()


def test_the_certificate_must_name_the_destination(
    restante: Installation, primary: Primary, right: Authority
) -> None:
    """127.0.0.1 is the same machine, but not what the certificate says."""
    host(restante, "name.example", at(primary), "--tls", "verify", "--tls-ca", str(right.file))
    assert "TLS" in is_refused(restante, "name.example")

    restante.do("domain", "set", "name.example", "--destination", f"localhost:{primary.port}")
    goes(restante, "name.example", primary)


def test_the_key_must_be_the_pinned_one(
    restante: Installation, primary: Primary, keys: KeyPair, wrong: Authority
) -> None:
    """A pin needs no authority and no name; another key, however well signed, will not do."""
    other = key_pin(wrong.issue("localhost").certificate)
    host(restante, "pin.example", at(primary), "--tls", "verify", "--tls-pin", other)
    assert "not pinned" in is_refused(restante, "pin.example")

    restante.do("domain", "set", "pin.example", "--tls-pin", key_pin(keys.certificate))
    goes(restante, "pin.example", primary)


def test_tls_is_used_where_it_is_offered_unless_told_otherwise(
    restante: Installation, primary: Primary
) -> None:
    """Opportunistic by default, with any certificate: better than none. And `off` is off."""
    host(restante, "opportunistic.example", at(primary))
    host(restante, "off.example", at(primary), "--tls", "off")
    for domain in ("opportunistic.example", "off.example"):
        goes(restante, domain, primary)
        restante.wait_for_event("drain-finished", domain=domain)

    versions = {
        line["domain"]: line["tls_version"]
        for line in restante.events("delivery-attempt", delivered=1)
    }
    assert versions["opportunistic.example"].startswith("TLSv1.")
    assert versions["off.example"] == ""


def test_required_tls_never_falls_back_to_clear(restante: Installation) -> None:
    """A stock Exim that offers no STARTTLS gets nothing until the domain is told to do without."""
    with EximPrimary(["required.example"]) as primary:
        primary.start()
        host(restante, "required.example", at(primary), "--tls", "required")
        assert "STARTTLS" in is_refused(restante, "required.example")
        assert primary.mailbox.count() == 0

        restante.do("domain", "set", "required.example", "--tls", "opportunistic")
        goes(restante, "required.example", primary)
