"""Many customers from one file, by the real programs: also if the server dies half-way."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import RESTANTE, Installation
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

MANY: Final = 200
SHOWN: Final = re.compile(r"login (\S+) of \S+: ([a-z0-9-]{29})")
TRY_LATER: Final = 75


@pytest.fixture
def restante() -> Iterator[Installation]:
    """A running installation."""
    with Installation() as restante:
        restante.start()
        yield restante


def customers(restante: Installation, number: int) -> Path:
    """Write the file."""
    file = restante.directory / "customers.toml"
    parts = [
        f'[[account]]\nname = "c{one}"\n[[login]]\nuser = "u{one}"\naccount = "c{one}"\n'
        f'[[domain]]\nname = "c{one}.example"\naccount = "c{one}"\ndestination = "192.0.2.9"\n'
        'allow = ["127.0.0.1"]\nrecipients = "list"\nunknown = "reject"\naddresses = ["anna"]\n'
        f'[[channel]]\nname = "ops"\naccount = "c{one}"\nmail = "ops@c{one}.example.com"\n'
        for one in range(number)
    ]
    file.write_text("".join(parts))
    return file


def applying(restante: Installation, file: Path, *options: str) -> subprocess.Popen[str]:
    """Begin to apply the file. A shell may have told the tests to ignore interrupts."""
    command = [str(RESTANTE), "--config", str(restante.config), "apply", str(file), *options]
    return subprocess.Popen(
        command,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def test_a_customer_of_the_file_gets_mail_held_and_may_ask_for_it(restante: Installation) -> None:
    [(user, password)] = SHOWN.findall(restante.do("apply", str(customers(restante, 1))))
    send(restante.mx, "anna@c0.example", content=message("one"))
    assert restante.held("c0.example") == 1
    asked = restante.etrn("c0.example", login=Login(user, password))
    assert asked.returncode == 0, asked.stderr
    with Session(restante.mx) as session:
        session.say("MAIL FROM:<a@sender.example>")
        assert session.say("RCPT TO:<nobody@c0.example>").startswith(b"550")


def test_a_second_run_does_the_rest_if_the_server_was_killed(restante: Installation) -> None:
    file = customers(restante, MANY)
    with applying(restante, file) as one:
        restante.wait_for_event("record-changed", action="login-added")
        restante.kill()
        out, err = one.communicate()
    assert one.returncode == TRY_LATER, (out, err)
    assert "run the same command again" in err or "connection to the server was lost" in err
    restante.start()
    done = set(re.findall(r"account (c\d+): added", out))
    names = {account["name"] for account in restante.shown("account", "list")}
    assert done <= names, "what was told is durable"
    assert len(restante.shown("domain", "list")) < MANY, "it was killed half-way"
    second = restante.do("apply", str(file))
    assert "unchanged" in second
    assert restante.do("apply", str(file)).startswith(f"no change; {5 * MANY} records")
    assert len(SHOWN.findall(out)) + len(SHOWN.findall(second)) <= MANY


def test_an_interrupted_command_shows_the_passwords_that_were_made(
    restante: Installation,
) -> None:
    for tries in range(1, 6):  # the command may end before it is interrupted
        file = customers(restante, tries * MANY)
        with applying(restante, file) as one:
            assert one.stdout
            begin = next((line for line in one.stdout if line.startswith("login ")), "")
            one.send_signal(signal.SIGINT)
            out, err = one.communicate()
        if one.returncode != 0:
            break
    assert one.returncode != 0, err
    shown = dict(SHOWN.findall(begin + out))
    assert "shown only once" in err or not shown
    assert restante.do("apply", str(file))
    for user, password in [*shown.items()][:1]:
        asked = restante.etrn(f"c{user[1:]}.example", login=Login(user, password))
        assert asked.returncode == 0, asked.stderr


def test_the_same_file_by_two_commands_at_once(restante: Installation) -> None:
    file = customers(restante, 50)
    both = [applying(restante, file, "--json") for _ in range(2)]
    ends = [json.loads(one.communicate()[0]) for one in both]
    assert sorted(end["changed"] for end in ends) == [False, True]
    assert all(end["failures"] == [] for end in ends)
    assert sum(len(end["secrets"]) for end in ends) == 50


def test_without_a_server_the_command_does_the_same(restante: Installation) -> None:
    restante.stop()
    file = customers(restante, 20)
    assert "80 added, 20 changed" in restante.do("apply", str(file))
    exported = restante.do("export-config", "--with-secrets")
    present = restante.directory / "present.toml"
    present.write_text(exported)
    assert restante.do(
        "apply", str(present), "--prune-accounts", "--reason", "as exported"
    ).startswith("no change")
    restante.start()
    assert restante.do("export-config", "--with-secrets") == exported
