"""S7: TLS 1.2 or later by default; the legacy profile of a listener offers TLS 1.0."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.askers import curl_asks
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.programs import Ended, run
from tests.acceptance.peers.senders import swaks_sends
from tests.acceptance.peers.server import Login, Server, Tls
from tests.acceptance.sample import message

AWAY: Final = "127.0.0.1:9"
OLD_CIPHERS: Final = (
    "DEFAULT:@SECLEVEL=0"  # without it a client of today cannot speak TLS 1.0 either
)
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


@dataclass(frozen=True, slots=True)
class Listeners:
    """The two listeners of a profile."""

    mx: Server
    smtps: Server


@pytest.fixture(scope="module")
def legacy_ports() -> dict[str, int]:
    """Ports for the listeners with the legacy profile."""
    return {service: free_port(HOST) for service in ("mx", "smtps")}


@pytest.fixture(scope="module")
def restante(legacy_ports: dict[str, int]) -> Iterator[Installation]:
    """An installation with listeners of either profile, side by side."""
    with Installation(more=LEGACY.format(**legacy_ports)) as restante:
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def default(restante: Installation) -> Listeners:
    """The listeners that nothing was set for."""
    return Listeners(restante.starttls, restante.smtps)


@pytest.fixture(scope="module")
def legacy(restante: Installation, legacy_ports: dict[str, int]) -> Listeners:
    """The listeners with `tls_minimum = "1.0"`."""
    return Listeners(
        Server("localhost", legacy_ports["mx"], Tls.STARTTLS, restante.authority),
        Server("localhost", legacy_ports["smtps"], Tls.IMPLICIT, restante.authority),
    )


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example."""
    return restante.hosts("alpha.example", AWAY)


def openssl_speaks(server: Server, version: str) -> bool:
    """Say whether `openssl s_client` gets through with just this version."""
    how = ["-starttls", "smtp"] if server.tls is Tls.STARTTLS else []
    to = ["-connect", f"{HOST}:{server.port}", *how, "-brief"]
    ended = run("openssl", "s_client", *to, f"-{version}", "-cipher", OLD_CIPHERS)
    assert ended.returncode == 0 or "alert protocol version" in ended.stdout, ended.stdout
    return ended.returncode == 0


def test_each_listener_speaks_what_its_profile_says(default: Listeners, legacy: Listeners) -> None:
    """Weakening one listener weakens no other of the same server."""
    versions = ("tls1", "tls1_1", "tls1_2", "tls1_3")
    for server in (default.mx, default.smtps):
        assert [openssl_speaks(server, version) for version in versions] == [
            False,
            False,
            True,
            True,
        ]
    for server in (legacy.mx, legacy.smtps):
        assert [openssl_speaks(server, version) for version in versions] == [True, True, True, True]


def test_an_old_primary_asks_by_tls_1_0_where_it_may(
    default: Listeners, legacy: Listeners, login: Login
) -> None:
    """curl with STARTTLS, and msmtp, which has another TLS library, with implicit TLS."""
    asked = curl_with_tls_1_0(legacy.mx, login)
    assert asked.returncode == 0, asked.stdout
    assert "SSL connection using TLSv1 /" in asked.stdout
    assert curl_with_tls_1_0(default.mx, login).returncode != 0

    assert msmtp_with_tls_1_0(legacy.smtps, login).returncode == 0
    assert msmtp_with_tls_1_0(default.smtps, login).returncode != 0


def curl_with_tls_1_0(server: Server, login: Login) -> Ended:
    """Ask with curl."""
    return curl_asks(
        server,
        login,
        "alpha.example",
        "--tlsv1.0",
        "--tls-max",
        "1.0",
        "--ciphers",
        OLD_CIPHERS.replace(":", ""),
    )


def msmtp_with_tls_1_0(server: Server, login: Login) -> Ended:
    """Ask with msmtp (GnuTLS)."""
    return run(
        *("msmtp", "--host=localhost", f"--port={server.port}", "--tls=on", "--tls-starttls=off"),
        *(f"--tls-trust-file={server.authority}", "--tls-priorities=NORMAL:-VERS-ALL:+VERS-TLS1.0"),
        *(
            "--auth=plain",
            f"--user={login.user}",
            f"--passwordeval=echo {login.password}",
            "--rmqs=alpha.example",
        ),
    )


def test_an_old_host_sends_by_tls_1_0_where_it_may(
    restante: Installation, default: Listeners, legacy: Listeners, login: Login
) -> None:
    """Held with the version on record; the refused handshake is in the log with its reason."""
    old = ("--tls-protocol", "tlsv1", "--tls-cipher", OLD_CIPHERS)
    sent, refused = (
        swaks_sends(
            server,
            *old,
            reverse_path="",
            forward_paths=["reader@alpha.example"],
            content=message("old"),
        )
        for server in (legacy.mx, default.mx)
    )

    assert sent.returncode == 0, sent.stdout
    assert refused.returncode != 0
    assert restante.events("mail-held")[-1]["tls"].startswith("TLSv1 ")
    assert restante.events("session-closed")[-1]["end"] == "tls-failed"


def test_status_shows_which_listener_is_weak(restante: Installation) -> None:
    """So that nobody forgets it."""
    listeners = restante.shown("status")["listeners"]

    of_mail = [one["tls_minimum"] for one in listeners if one["service"] != "web"]
    assert of_mail == ["1.2", "1.2", "1.2", "1.0", "1.0"]


def test_cbc_suites_are_left_to_where_the_alternative_is_clear_text(
    default: Listeners, restante: Installation
) -> None:
    """Port 25 accepts mail over any connection; ports 465 and 366 accept passwords."""
    for server, is_taken in ((default.mx, True), (default.smtps, False), (restante.odmr, False)):
        for suite in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"):
            context = ssl.create_default_context(cafile=server.authority)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"{suite}:@SECLEVEL=0")
            assert shakes_hands(server, context) is is_taken, suite


def shakes_hands(server: Server, context: ssl.SSLContext) -> bool:
    """Tell whether a client with this context gets to TLS."""
    try:
        if server.tls is Tls.IMPLICIT:
            smtplib.SMTP_SSL(server.host, server.port, context=context, timeout=90).close()
        else:
            with smtplib.SMTP(server.host, server.port, timeout=90) as session:
                session.starttls(context=context)
    except (ssl.SSLError, ConnectionError):
        return False
    return True
