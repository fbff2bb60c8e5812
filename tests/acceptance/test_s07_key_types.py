"""S7: the two certificates that `restante init` makes serve clients that know only one type of key.

The clients trust the file that init makes for them, and check it strictly.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.askers import curl_asks
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.programs import Ended, run
from tests.acceptance.peers.server import Login, Server, Tls

AWAY: Final = "127.0.0.1:9"
DOMAIN: Final = "alpha.example"
LEGACY: Final = """
[[listen]]
service = "mx"
address = "127.0.0.1:{mx}"
tls_minimum = "1.0"

[[listen]]
service = "smtps"
address = "127.0.0.1:{smtps}"
tls_minimum = "1.0"
"""
ECDSA: Final = "ECDSA+SHA256"
RSA: Final = "rsa_pss_rsae_sha256:RSA+SHA256"
GNUTLS: Final = {  # the abilities of a client, as priorities
    "ECDSA": "NORMAL:-ECDHE-RSA:-RSA:-DHE-RSA:-VERS-TLS1.3",
    "RSA": "NORMAL:-ECDHE-ECDSA:-VERS-TLS1.3",
    "RSA, and for TLS 1.3": "NORMAL:-SIGN-ALL:+SIGN-RSA-SHA256:+SIGN-RSA-PSS-RSAE-SHA256",
    "both": "NORMAL",
}


@pytest.fixture(scope="module")
def legacy_ports() -> dict[str, int]:
    """Ports for the listeners with the legacy profile."""
    return {service: free_port(HOST) for service in ("mx", "smtps")}


@pytest.fixture(scope="module")
def restante(legacy_ports: dict[str, int]) -> Iterator[Installation]:
    """A server that shows what init has made, with listeners of either profile."""
    with Installation(more=LEGACY.format(**legacy_ports)) as restante:
        restante.certify_itself()
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def legacy(restante: Installation, legacy_ports: dict[str, int]) -> list[Server]:
    """The listeners with `tls_minimum = "1.0"`."""
    return [
        Server("localhost", legacy_ports["mx"], Tls.STARTTLS, restante.authority),
        Server("localhost", legacy_ports["smtps"], Tls.IMPLICIT, restante.authority),
    ]


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example."""
    return restante.hosts(DOMAIN, AWAY)


def openssl_sees(server: Server, *options: str, trusted: Path | None = None) -> dict[str, str]:
    """Return what `openssl s_client` says of a session in which it verified the server."""
    how = ["-starttls", "smtp"] if server.tls is Tls.STARTTLS else []
    to = ["-connect", f"{HOST}:{server.port}", *how, "-brief"]
    check = ["-CAfile", trusted or server.authority or "", "-verify_hostname", "localhost"]
    strictly = ["-verify_return_error", "-x509_strict"]
    ended = run("openssl", "s_client", *to, *check, *strictly, *options)
    if ended.returncode != 0:
        return {"failure": ended.stdout}
    said = dict(line.partition(": ")[::2] for line in ended.stdout.splitlines() if ": " in line)
    assert said["Verification"] == "OK", ended.stdout
    return said


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize(("known", "kind"), [(ECDSA, "ECDSA"), (RSA, "RSA-PSS")])
def test_a_client_gets_the_certificate_that_it_can_use(
    restante: Installation, version: str, known: str, kind: str
) -> None:
    """By the signatures that it offers."""
    for server in (restante.starttls, restante.smtps):
        assert openssl_sees(server, f"-{version}", "-sigalgs", known)["Signature type"] == kind
        assert openssl_sees(server, f"-{version}")["Signature type"] == "ECDSA"


@pytest.mark.parametrize(
    "suite", ["AES128-SHA", "AES256-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA"]
)
@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_an_old_client_with_one_suite_gets_through_where_it_may(
    restante: Installation, legacy: list[Server], version: str, suite: str
) -> None:
    """The first two are all that clients from before elliptic curves have."""
    options = (f"-{version}", "-cipher", f"{suite}:@SECLEVEL=0")
    for server in legacy:
        assert openssl_sees(server, *options)["Ciphersuite"] == suite
    for server in (restante.starttls, restante.smtps):
        assert "alert protocol version" in openssl_sees(server, *options)["failure"]


@pytest.mark.parametrize("suite", ["AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA"])
def test_an_old_primary_asks_whatever_its_key_type(
    legacy: list[Server], login: Login, suite: str
) -> None:
    """With its password, by TLS 1.0."""
    for server in legacy:
        options = ("--tlsv1.0", "--tls-max", "1.0", "--ciphers", f"{suite}@SECLEVEL=0")
        asked = curl_asks(server, login, DOMAIN, *options)
        assert asked.returncode == 0, asked.stdout
        assert f"TLSv1 / {suite}" in asked.stdout
        assert "251 " in asked.stdout


@pytest.mark.parametrize("priorities", GNUTLS.values(), ids=GNUTLS)
def test_a_client_with_gnutls_trusts_the_one_that_it_gets(
    restante: Installation, login: Login, priorities: str
) -> None:
    """GnuTLS looks for trusted certificates in its own way."""
    asked = msmtp_asks(restante.smtps, login, priorities)
    assert asked.returncode == 0, asked.stdout


def msmtp_asks(server: Server, login: Login, priorities: str) -> Ended:
    """Ask with msmtp."""
    return run(
        *("msmtp", "--host=localhost", f"--port={server.port}", "--tls=on", "--tls-starttls=off"),
        *(f"--tls-trust-file={server.authority}", f"--tls-priorities={priorities}"),
        *("--auth=plain", f"--user={login.user}", f"--passwordeval=echo {login.password}"),
        f"--rmqs={DOMAIN}",
    )


def test_a_renewal_leaves_no_client_out(restante: Installation, tmp_path: Path) -> None:
    """The renewed file of certificates to trust is good before the reload and after it."""
    old = Path(shutil.copyfile(restante.authority, tmp_path / "old.pem"))
    restante.do("init", "--renew-certificate")
    for known in (ECDSA, RSA):
        assert "failure" not in openssl_sees(restante.smtps, "-sigalgs", known)
        assert "failure" not in openssl_sees(restante.smtps, "-sigalgs", known, trusted=old)
    restante.reload()
    for known in (ECDSA, RSA):
        assert "failure" not in openssl_sees(restante.smtps, "-sigalgs", known)
        seen = openssl_sees(restante.smtps, "-sigalgs", known, trusted=old)
        assert "verify error" in seen["failure"]
