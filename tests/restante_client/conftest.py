"""The client's command line as a function, and servers that it trusts."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import trustme

from restante_client.client_main import main

PASSWORD = "correct hörse"


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    code: int
    out: str
    err: str


RunClient = Callable[..., Ended]


@pytest.fixture
def client(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> RunClient:
    """Run `restante-client` in this process."""

    def run(*words: object, stdin: str = "") -> Ended:
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def context(authority: trustme.CA) -> ssl.SSLContext:
    """Of a server with a certificate for localhost, which asks for the client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.fixture(scope="session")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def who(ca: Path, tmp_path: Path) -> list[str]:
    """The options of a login at a server with a certificate of the authority."""
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\nnot this\n", encoding="utf-8")
    password.chmod(0o600)
    return ["--login", "acme-mail", "--password-file", str(password), "--ca", str(ca)]
