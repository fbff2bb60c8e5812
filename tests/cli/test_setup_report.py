"""The plan of a setup, and its next steps: complete, in order, and of this installation."""

from pathlib import Path
from typing import Any

import pytest

from restante.cli import setup_report
from restante.cli.setup_dialogue import gather_answers
from restante.cli.setup_machine import MachineFacts
from restante.cli.setup_report import (
    SetupOutcome,
    next_commands,
    outcome_document,
    plan_fields,
    say_outcome,
)
from tests.cli.setup_machines import OLGAS, ROOTS

DOMAIN = {"domain": "acme.example", "destination": "mail.acme.example"}
RECORD = {
    "purpose": "mail-exchanger",
    "state": "missing",
    "is_optional": False,
    "line": "acme.example. IN MX 20 mx2.example.net.",
    "found": [],
    "note": "",
}
ROW = {
    "check": "reachable",
    "verdict": "fail",
    "title": "connection",
    "evidence": "nobody answers",
    "remedy": "open port 25",
    "snippet": "",
}
SNIPPET = {"parts": [{"place": "main.cf", "text": "a = b"}], "danger": "Do not trust all."}
SEEN = {
    "dns": {"records": [RECORD, RECORD | {"is_optional": True, "line": "TLSA"}]},
    "check": {"rows": [ROW, ROW | {"verdict": "pass", "title": "good"}]},
    "snippets": [SNIPPET],
    "failures": [],
}


@pytest.fixture(autouse=True)
def in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is found by its name, on a terminal of 80 columns."""
    monkeypatch.setattr(setup_report, "shown_program", lambda: "restante")
    monkeypatch.setenv("COLUMNS", "80")


def outcome(machine: MachineFacts, seen: dict[str, Any], **given: str) -> SetupOutcome:
    directory = "/etc/restante" if machine.is_root else "/home/olga/restante"
    return SetupOutcome(gather_answers(machine, given, {"dir": directory}, asks=False),
                        machine, seen)  # fmt: skip


def test_an_installation_of_the_system_needs_no_config_option() -> None:
    made = outcome(ROOTS, {}, service="yes")
    assert made.command("status") == "restante status"
    assert made.start_command == "systemctl start restante"
    assert made.config == Path("/etc/restante/restante.toml")
    other = outcome(OLGAS, {})
    assert other.command("status") == "restante --config /home/olga/restante/restante.toml status"
    assert other.start_command == "restante --config /home/olga/restante/restante.toml serve"


def test_the_steps_after_a_setup_with_a_domain(capsys: pytest.CaptureFixture[str]) -> None:
    say_outcome(outcome(ROOTS, SEEN, service="yes", **DOMAIN))
    assert (
        capsys.readouterr().out
        == """
Restante is set up, and runs.

1. Copy /etc/restante/restante.key to another machine. Without it, held mail is
   lost. Then type:
     restante key confirm-copied

2. Publish the needed records that DNS does not have yet:
missing  mail exchanger
         acme.example. IN MX 20 mx2.example.net.
   A record is unknown if no name server answered. To see all of them again:
     restante domain dns acme.example

3. Let mail.acme.example ask for held mail. Move the password in
   /etc/restante/acme-password to /etc/restante-password there, readable by root
   alone.
   There, with restante-client (docs/how-to/ask-for-mail.md has other programs):
     restante-client ask mx2.example.net acme.example --login acme \\
         --password-file /etc/restante-password \\
         --ca /etc/restante-trust.pem
   /etc/restante-trust.pem is a copy of /etc/restante/tls/trust.pem: the
   certificate of this server is self-signed.

4. Let its filters judge the original client of held mail, not this server:
   In main.cf:

   a = b

   Danger: Do not trust all.
   The same again, and for other programs:
     restante domain snippet acme.example --for postfix

5. Correct these faults, which keep held mail from arriving:
FAIL     connection
         nobody answers
         → open port 25
   Check it again, with all rows:
     restante domain check acme.example

To look at the server:
     restante status
"""
    )


def test_without_a_domain_the_commands_that_add_one_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_outcome(outcome(OLGAS, {}))
    said = capsys.readouterr().out
    assert said.startswith(
        "\nRestante is set up. It does not run yet.\n"
        "It takes mail from this machine only. For the Internet, set up a server as root,\n"
    )
    assert "\n2. Start the server. It runs until Ctrl-C:\n" in said
    assert "3. Add a customer and a domain" in said
    assert " domain add acme.example --account acme --destination mail.acme.example" in said


def test_without_a_network_the_causes_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    say_outcome(outcome(ROOTS, {"failures": ["dns: no name server; try later"]}, **DOMAIN))
    said = capsys.readouterr().out
    assert "They could not be made, because of this:\n     dns: no name server; try later" in said
    assert "The domain could not be checked, because of this:" in said


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["pass"], "Nothing was found that keeps held mail from arriving."),
        (["pass", "unknown"], "but not all could be looked at."),
        (["warn"], "Correct these faults, which keep held mail from arriving:"),
    ],
)
def test_the_check_is_summed_up(
    capsys: pytest.CaptureFixture[str], verdicts: list[str], said: str
) -> None:
    rows = [ROW | {"verdict": verdict} for verdict in verdicts]
    say_outcome(outcome(ROOTS, SEEN | {"check": {"rows": rows}}, **DOMAIN))
    assert said in " ".join(capsys.readouterr().out.split())


def test_proofs_that_no_fresh_server_has_are_no_faults(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drill = {"check": "drill", "verdict": "unknown", "title": "drill", "remedy": "run a drill"}
    own = {
        "check": "own-certificate",
        "verdict": "warn",
        "title": "certificate of this server",
        "remedy": "get one from an authority",
    }
    seen = SEEN | {"check": {"rows": [ROW | drill, ROW | own]}}
    say_outcome(outcome(ROOTS, seen, **DOMAIN))
    said = capsys.readouterr().out
    assert "faults" not in said
    assert (
        "   To be done before a bad day:\n"
        "   - drill: run a drill\n"
        "   - certificate of this server: get one from an authority\n"
    ) in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "self-signed, valid for 397 days"),
        (
            {"certificate": "acme", "accept_terms": "yes"},
            "by ACME from Let's Encrypt; self-signed until it is there",
        ),
    ],
)
def test_a_plan_names_the_certificate(given: dict[str, str], words: str) -> None:
    fields = dict(plan_fields(outcome(ROOTS, {}, **given).answers, ROOTS))
    assert fields["certificate"] == words
    assert fields["runs as"] == "restante"
    assert fields["takes mail at"][0] == "0.0.0.0:25 (mx)"  # type: ignore[index]


def test_a_plan_names_who_may_ask() -> None:
    fields = dict(plan_fields(outcome(OLGAS, {}, **DOMAIN).answers, OLGAS))
    assert fields["may ask for it"] == "acme, from mail.acme.example"
    assert fields["runs as"] == "olga"
    assert fields["started by"] == "you: the command follows"


def test_an_address_that_is_not_known_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = {"parts": [{"place": "main.cf", "text": "a = ADDRESS"}], "danger": "None."}
    for snippet, is_explained in ((unknown, True), (SNIPPET, False)):
        say_outcome(outcome(ROOTS, SEEN | {"snippets": [snippet]}, **DOMAIN))
        said = capsys.readouterr().out
        assert ("ADDRESS stands for the address from which this server" in said) == is_explained


def test_programs_get_the_same() -> None:
    made = outcome(ROOTS, SEEN, **DOMAIN, service="no")
    document = outcome_document(made, [{"step": "files", "state": "done"}], changed=True)
    assert document["changed"]
    assert document["password_file"] == "/etc/restante/acme-password"
    assert document["dns"] == SEEN["dns"]
    assert document["next"] == next_commands(made)
    assert next_commands(made) == [
        "restante --config /etc/restante/restante.toml serve",
        "restante key confirm-copied",
        "restante domain dns acme.example",
        "restante domain check acme.example",
    ]
    assert outcome_document(outcome(ROOTS, {}), [], changed=False)["password_file"] is None
