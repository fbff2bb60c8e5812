"""`make demo`: the whole path of held mail over real sockets, step by step.

The exit code is 0 only if every step succeeded.
"""

import contextlib
import json
import smtplib
import socket
import ssl
import sys
import tempfile
import textwrap
from pathlib import Path

from command import restante, serving
from primary import HOST, Primary

from restante.cli.progress import waiting

DOMAIN = "demo.example"
AUTHENTICATION_REQUIRED = 530
RECEIVED_SECONDS = 60.0
COLUMNS = 79  # of a terminal


def say(text: str) -> None:
    """Tell a step."""
    lines = textwrap.fill(text, COLUMNS, initial_indent="* ", subsequent_indent="  ")
    print(f"\n{lines}", flush=True)


def messages() -> list[bytes]:
    """Make content of the kinds that mail servers have failed on."""
    header = (
        b"From: someone@elsewhere.example\r\nTo: you@demo.example\r\nSubject: message %d\r\n\r\n"
    )
    bodies = [
        b"A plain line.\r\n",
        b".\r\n..\r\n.a line that begins with a dot\r\n\r\n",
        "Größe, 8 bit, and no line end but ours\r\n".encode(),
        b"x" * 900 + b" a long line\r\n",
        b"".join(
            b"line %06d of a message of two megabytes\r\n" % number for number in range(50_000)
        ),
    ]
    return [header % number + body for number, body in enumerate(bodies, start=1)]


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def send(port: int, contents: list[bytes]) -> None:
    """Be some host on the Internet."""
    with smtplib.SMTP(HOST, port) as client:
        for content in contents:
            client.sendmail("someone@elsewhere.example", [f"you@{DOMAIN}"], content)


def ask_with_a_wrong_password(port: int, certificate: Path) -> str:
    """Be somebody who knows a user name only."""
    with smtplib.SMTP_SSL(
        HOST, port, context=ssl.create_default_context(cafile=certificate)
    ) as client:
        with contextlib.suppress(smtplib.SMTPAuthenticationError):
            client.ehlo()
            client.user, client.password = "demo", "not the password"
            client.auth("PLAIN", client.auth_plain)  # `login` tries every mechanism in turn
        code, text = client.docmd("ETRN", DOMAIN)
        assert code == AUTHENTICATION_REQUIRED
        return f"{code} {text.decode()}"


def without_received(content: bytes) -> bytes:
    """Take off the one field that a backup MX adds."""
    lines = content.split(b"\r\n")
    assert lines[0].startswith(b"Received: ")
    rest = next(
        index for index, line in enumerate(lines) if index and not line.startswith((b" ", b"\t"))
    )
    return b"\r\n".join(lines[rest:])


def configure(directory: Path) -> tuple[Path, Path]:
    """Make a configuration with free ports, and a password file; return their paths."""
    config = directory / "restante.toml"
    restante(config, "init", "--dir", str(directory), "--hostname", "mx2.example.net")
    text = config.read_text()
    for port in (2525, 4465, 8025, 3660):
        text = text.replace(f"{HOST}:{port}", f"{HOST}:{free_port()}")
    config.write_text(text)
    password_file = directory / "password"
    password_file.touch(mode=0o600)
    password_file.write_text("correct horse battery staple\n")
    return config, password_file


def add_customer(config: Path, password_file: Path, primary_port: int) -> None:
    """Make an account, a login and a domain. The running server does it, which is quick."""
    restante(config, "account", "add", "demo")
    login = ("login", "add", "demo", "demo", "--password-stdin")
    restante(config, *login, typed=password_file.read_text())
    primary = ("--destination", f"{HOST}:{primary_port}", "--allow", HOST)
    restante(config, "domain", "add", DOMAIN, "--account", "demo", *primary)


def ports(config: Path) -> dict[str, int]:
    """Ask the server where it listens."""
    status = json.loads(restante(config, "status", "--json"))
    return {
        listener["service"]: int(listener["address"].rpartition(":")[2])
        for listener in status["listeners"]
    }


def walk(directory: Path) -> bool:
    """Show every step; return whether each message arrived unchanged."""
    say("A backup MX is set up in a directory of its own, which takes a few seconds.")
    primary_port = free_port()
    primary = Primary(primary_port)
    config, password_file = configure(directory)
    sent = messages()
    with serving(config, directory / "server.log"):
        add_customer(config, password_file, primary_port)
        port = ports(config)
        say(f"The primary of {DOMAIN} is away. {len(sent)} messages arrive at its backup MX:")
        with waiting("mail is sent"):
            send(port["mx"], sent)
        print(restante(config, "status"), end="")
        say(
            "They are held: nothing leaves, however long it takes. Somebody asks with a wrong"
            " password:"
        )
        print(ask_with_a_wrong_password(port["smtps"], directory / "tls" / "trust.pem"))
        say(
            "The primary is back, and asks over TLS with its password (`restante etrn`, or any ETRN"
            " client):"
        )
        primary.start()
        try:
            print(_ask(config, port["smtps"], password_file), end="")
            with waiting("mail is handed over"):
                primary.wait_for(len(sent), RECEIVED_SECONDS)
        finally:
            primary.stop()
    return _compare(sent, primary.mailbox.messages)


def _ask(config: Path, port: int, password_file: Path) -> str:
    certificate = str(config.parent / "tls" / "trust.pem")
    who = ("--login", "demo", "--password-file", str(password_file), "--ca", certificate)
    return restante(config, "etrn", f"{HOST}:{port}", DOMAIN, *who)


def _compare(sent: list[bytes], arrived: list[bytes]) -> bool:
    is_equal = sorted(sent) == sorted(without_received(content) for content in arrived)
    say(
        f"{len(arrived)} of {len(sent)} arrived; byte for byte"
        f" {'the same' if is_equal else 'NOT THE SAME'}."
    )
    return is_equal


def main() -> int:
    """Run the demonstration in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="restante-demo-") as directory:
        return 0 if walk(Path(directory)) else 1


if __name__ == "__main__":
    sys.exit(main())
