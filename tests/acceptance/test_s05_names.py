"""S5 with several names: each client gets the certificate that it asks for, at every listener.

The clients are `openssl s_client`, with and without a name (SNI).
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import trustme
from httpx import Client, HTTPTransport

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.programs import run

CONFIGURATION: Final = 78  # exit code of restante
CUSTOMER: Final = "mx.customer.example"
NAMES: Final = """
[[listen]]
service = "odmrs"
address = "127.0.0.1:{odmrs}"

[[listen]]
service = "web"
address = "127.0.0.1:{web}"
tls = true

[[tls.names]]
certificate = "tls/customer.pem"
key = "tls/customer-key.pem"
"""


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {"odmrs": free_port(HOST), "web": free_port(HOST)}


@pytest.fixture(scope="module")
def restante(ports: dict[str, int]) -> Iterator[Installation]:
    with Installation(more=NAMES.format(**ports)) as restante:
        issue(restante, "first")
        restante.start()
        yield restante


def issue(restante: Installation, authority: str) -> None:
    """Put a certificate of an authority where `[[tls.names]]` has it. It ends in five days."""
    issued = trustme.CA(organization_name=authority).issue_cert(
        CUSTOMER, common_name=CUSTOMER, not_after=datetime.now(UTC) + timedelta(days=5)
    )
    issued.cert_chain_pems[0].write_to_path(restante.directory / "tls/customer.pem")
    issued.private_key_pem.write_to_path(restante.directory / "tls/customer-key.pem")


def shown(port: int, *options: str) -> str:
    """Return issuer and subject of the certificate that a client gets."""
    ended = run("openssl", "s_client", "-connect", f"{HOST}:{port}", *options)
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("subject=", "issuer="))]
    assert len(lines) == 2, ended.stdout
    return " ".join(lines)


def test_every_listener_shows_the_certificate_of_the_name(
    restante: Installation, ports: dict[str, int]
) -> None:
    for port, start in (
        (restante.mx_port, ("-starttls", "smtp")),
        (restante.smtps_port, ()),
        (restante.odmr_port, ("-starttls", "smtp")),
        (ports["odmrs"], ()),
        (ports["web"], ()),
    ):
        for version in ("-tls1_2", "-tls1_3"):
            assert CUSTOMER in shown(port, *start, version, "-servername", CUSTOMER)
            for name in (("-noservername",), ("-servername", "mx.other.example")):
                assert CUSTOMER not in shown(port, *start, version, *name)


def test_a_reload_shows_the_new_one_of_a_name(restante: Installation) -> None:
    """Files that do not fit change nothing."""
    asked = ("-servername", CUSTOMER)
    assert "first" in shown(restante.smtps_port, *asked)
    issue(restante, "second")
    right = (restante.directory / "tls/customer-key.pem").read_bytes()
    shutil.copyfile(restante.directory / "tls/key.pem", restante.directory / "tls/customer-key.pem")
    restante.ask_to_reload()
    failed = restante.wait_for_event("reload-failed")
    assert "is not the key of" in failed["error"]
    assert "first" in shown(restante.smtps_port, *asked)
    (restante.directory / "tls/customer-key.pem").write_bytes(right)
    restante.reload()
    assert "second" in shown(restante.smtps_port, *asked)


def test_its_end_is_told_like_that_of_the_default_one(restante: Installation) -> None:
    told = [(line["hosts"], line["days"]) for line in restante.events("certificate-expiring")]
    assert told == [([CUSTOMER], 7)]
    assert "a certificate expires in 4 days" in restante.do("status")
    with Client(transport=HTTPTransport(uds=str(restante.socket)), base_url="http://x") as client:
        [ends] = re.findall(
            r"^restante_certificate_expiry_\S+ (\S+)$", client.get("/metrics").text, re.MULTILINE
        )
    assert 4 < (float(ends) - time.time()) / 86400 < 5
    checked = restante.run("config", "check")
    assert f"{restante.directory}/tls/customer.pem: the certificate expires" in checked.stderr


def test_a_strange_name_fills_no_log(restante: Installation) -> None:
    """RFC 6066 allows ASCII only. Python would write a traceback for each."""
    ended = run(
        "openssl",
        "s_client",
        "-connect",
        f"{HOST}:{restante.smtps_port}",
        "-servername",
        "mx.ü.example",
    )
    assert "alert" in ended.stdout
    assert CUSTOMER in shown(restante.smtps_port, "-servername", CUSTOMER)
    assert "Unicode" not in restante.log_path.read_text()


def test_the_check_names_the_table(restante: Installation) -> None:
    (restante.directory / "tls/customer-key.pem").write_bytes(b"")
    refused = restante.run("config", "check")
    assert (refused.returncode, "tls.names[0].key" in refused.stderr) == (CONFIGURATION, True)
