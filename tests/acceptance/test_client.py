"""`restante-client ask` at a real server, for a real Postfix: by ETRN and by HTTPS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.certificates import key_pin
from tests.acceptance.client_run import login_words, run_client, secret_file
from tests.acceptance.installation import HOST, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import arrived, message, send

DOMAIN = "alpha.example"


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation with HTTPS."""
    with Installation() as restante:
        web = f'address = "{HOST}:{restante.web_port}"'
        text = restante.config.read_text()
        assert web in text
        restante.config.write_text(text.replace(web, f"{web}\ntls = true"))
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def postfix() -> Iterator[Primary]:
    """The primary; off."""
    with PostfixPrimary([DOMAIN]) as primary:
        yield primary


@pytest.fixture(scope="module")
def login(restante: Installation, postfix: Primary) -> Login:
    """The login of the domain's account."""
    return restante.hosts(DOMAIN, at(postfix))


@pytest.fixture
def token(restante: Installation) -> str:
    """A file with a token that may release mail and see releases."""
    words = ("token", "add", "alpha", f"t{time.monotonic_ns()}", "--role", "account-operator")
    held = restante.do(*words).split()[-1]
    return str(secret_file(restante.directory, "token", held))


@pytest.mark.parametrize("way", ["starttls", "smtps"])
def test_mail_comes_once_the_local_server_is_up(
    restante: Installation, postfix: Primary, login: Login, way: str
) -> None:
    """The request is made while Postfix is down; it waits until Postfix greets."""
    postfix.stop()
    server = getattr(restante, way)
    content = message(f"asked by {way}")
    send(restante.mx, f"reader@{DOMAIN}", content=content)
    asked = len(restante.events("release-requested"))
    words = ["ask", f"{server.host}:{server.port}", DOMAIN, "--local", at(postfix)]
    words += login_words(restante.directory, server, login)
    with subprocess.Popen(
        [sys.executable, "-m", "restante_client", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stderr
        assert client.stdout
        assert "waiting for the local mail server" in client.stderr.readline()
        assert len(restante.events("release-requested")) == asked
        postfix.start()
        assert client.wait(90) == 0
        assert "pending messages started (253 2.0.0 OK, 1 pending" in client.stdout.read()
    eventually(lambda: content in arrived(postfix), what="the message")
    postfix.stop()


def test_a_release_by_https_is_followed_to_its_end(
    restante: Installation, postfix: Primary, login: Login, token: str
) -> None:
    postfix.start()
    content = message("asked by HTTPS")
    send(restante.mx, f"reader@{DOMAIN}", content=content)
    words = ("--https", "--token-file", token, "--local", at(postfix))
    where = f"localhost:{restante.web_port}"
    ca = ("--ca", str(restante.authority))
    ended = run_client("ask", where, DOMAIN, *words, *ca, "--wait")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        f"{DOMAIN}: 1 message released",
        f"{DOMAIN}: 1 delivered, 0 refused, 0 left",
    ]
    assert content in arrived(postfix)
    told = run_client("ask", where, DOMAIN, *words, *ca, "--wait", "--json")
    assert json.loads(told.stdout)["answers"][0]["result"] == "nothing-held"
    foreign = run_client("ask", where, "foreign.example", *words, *ca)
    assert foreign.returncode == 77
    assert foreign.stdout.startswith("foreign.example: not allowed; ")


def test_a_self_signed_server_is_pinned(
    restante: Installation, postfix: Primary, login: Login, token: str
) -> None:
    """By its public key, which stays when the certificate is renewed."""
    pin = key_pin(Path(restante.directory, "tls/cert.pem"))
    where = f"{HOST}:{restante.web_port}"  # its certificate is for another name
    words = ("--https", "--token-file", token, "--local", "none", "--pin", pin)
    assert run_client("ask", where, DOMAIN, *words).returncode == 0
    refused = run_client("ask", where, DOMAIN, *words[:-1], "00" * 32)
    assert refused.returncode == 69
    assert f"is not the pinned one, but {pin}" in refused.stderr
