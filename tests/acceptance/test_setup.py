"""`restante setup` from outside: without questions, then a server that takes mail and keeps it."""

import contextlib
import json
import os
import pty
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from tests.acceptance.installation import HOST, RESTANTE, ServerProcess
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port

DOMAIN: Final = "acme.example"
NO_RESOLVER: Final = '["127.0.0.1:1"]'  # it refuses at once, and none of the system is waited for
SERVICES: Final = ("mx", "smtps", "web", "odmr")


class NewInstallation:
    """A directory with nothing in it, and free ports."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "restante.toml"
        self.ports = {name: free_port(HOST) for name in SERVICES}

    @property
    def options(self) -> list[str]:
        """Answers to all questions. Root makes it for a user who is there."""
        ports = [
            part for name, port in self.ports.items() for part in (f"--{name}-port", str(port))
        ]
        user = ["--user", "nobody"] if os.geteuid() == 0 else []
        return [
            *("--dir", str(self.directory), "--hostname", "mx2.example.net", "--listen", HOST),
            *("--domain", DOMAIN, "--destination", f"{HOST}:9", "--allow", HOST, *ports, *user),
        ]

    def set_up(self) -> dict[str, Any]:
        """Run `restante setup` without questions, and return its JSON."""
        done = subprocess.run(
            [RESTANTE, "setup", "--yes", "--json", *self.options],
            env={**os.environ, "RESTANTE_RESOLVER__NAMESERVERS": NO_RESOLVER},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Run the server inside, by the command that the setup has told."""
        log = self.directory / "log"
        process = ServerProcess(log)
        process.start([RESTANTE, "--config", self.config, "serve"])
        try:
            eventually(lambda: "server-ready" in log.read_text(), what="the server")
            yield
        finally:
            process.stop()


@pytest.fixture
def new() -> Iterator[NewInstallation]:
    """A place for an installation. Its path fits a Unix socket, and its user may enter it."""
    with TemporaryDirectory(prefix="rst") as name:
        Path(name).chmod(0o755)
        yield NewInstallation(Path(name) / "i")


def test_a_server_that_was_set_up_by_options_holds_mail_and_a_second_setup_harms_nothing(
    new: NewInstallation,
) -> None:
    made = new.set_up()
    assert made["changed"]
    assert made["start"].split()[1:] == ["--config", str(new.config), "serve"]
    assert f"{DOMAIN}. IN MX 20 mx2.example.net." in [one["line"] for one in made["dns"]["records"]]
    assert made["check"]["rows"]
    assert "smtpd_client_restrictions" in made["snippets"][0]["parts"][0]["text"]
    key = (new.directory / "restante.key").read_bytes()
    with new.serving():
        with smtplib.SMTP(HOST, new.ports["mx"]) as client:
            assert client.ehlo()[0] == 250
            client.starttls(context=_trusting(new.directory))
            client.sendmail("me@elsewhere.example", [f"you@{DOMAIN}"], b"Subject: x\r\n\r\ny\r\n")
            assert client.docmd("RCPT", "TO:<you@other.example>")[0] >= 500
        assert not new.set_up()["changed"]
        words = ["--login", "acme", "--password-file", made["password_file"]]
        trust = ["--ca", str(new.directory / "tls/trust.pem")]
        host = f"localhost:{new.ports['smtps']}"
        asked = subprocess.run(
            [str(RESTANTE), "etrn", host, DOMAIN, *words, *trust],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "(253 " in asked.stdout, asked.stdout + asked.stderr
        held = _command(new, "status", DOMAIN, "--json")
        assert held["domains"][0]["held"] == 1
    assert (new.directory / "restante.key").read_bytes() == key


def _trusting(directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=directory / "tls/trust.pem")
    context.check_hostname = False  # the client knows the address alone
    return context


def _command(new: NewInstallation, *words: str) -> Any:
    done = subprocess.run(
        [RESTANTE, "--config", new.config, *words], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def test_at_a_terminal_enter_takes_the_defaults(new: NewInstallation) -> None:
    """A terminal of 80 columns, with the options that a test needs, and Enter for the rest."""
    ours, terminal = pty.openpty()
    words = [one for one in new.options if one not in ("--hostname", "mx2.example.net")]
    running = subprocess.Popen(
        [RESTANTE, "setup", "--dry-run", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm", "NO_COLOR": "1"},
    )
    os.close(terminal)
    said = _conversation(ours, [b"mx 2\n", b"mx2.example.net\n"])
    assert running.wait(60) == 0, said
    assert "'mx 2' is not a host name." in said
    assert "nothing was changed" in said
    assert [line for line in said.splitlines() if len(line) > 80] == []
    assert not new.directory.exists()


def _conversation(terminal: int, answers: list[bytes]) -> str:
    """Type an answer after each question, then Enter, and return all that the terminal shows."""
    shown, typed = b"", iter(answers)
    with contextlib.suppress(OSError):  # the end of a terminal
        while block := os.read(terminal, 65_536):
            shown += block
            if shown.endswith(b": "):
                os.write(terminal, next(typed, b"\n"))
    os.close(terminal)
    return shown.decode()
