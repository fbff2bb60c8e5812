"""The questions of a setup, as transcripts of a terminal."""

from collections.abc import Mapping

import pytest
import typer

from restante.cli.failures import Exit, Failure
from restante.cli.setup_answers import PLACES, TERMS
from restante.cli.setup_dialogue import gather_answers
from restante.cli.setup_machine import MachineFacts
from tests.cli.setup_machines import OLGAS, ROOTS
from tests.cli.typed_terminal import TypedTerminal

SILENT = {
    "listen": "127.0.0.1",
    "mx_port": "2525",
    "smtps_port": "4465",
    "acme_port": "8080",
    "web_port": "8025",
    "odmr_port": "3660",
    "service": "no",
}
AT_OLGAS = {"dir": "/home/olga/restante"}


def asked(
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    machine: MachineFacts = OLGAS,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    monkeypatch.setattr("sys.stdin", TypedTerminal(typed))
    monkeypatch.setenv("COLUMNS", "80")
    found = gather_answers(machine, given or {}, AT_OLGAS, asks=True)
    return {name: text for name, text in found.items() if SILENT.get(name) != text}


def test_enter_takes_the_answers_in_brackets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, "\n\n\n") == {
        "dir": "/home/olga/restante",
        "hostname": "mx2.example.net",
        "certificate": "self-signed",
        "domain": "",
    }
    assert capsys.readouterr().out == (
        "Full name of this server in DNS [mx2.example.net]: \n"
        "Certificate: self-signed, acme or own [self-signed]: \n"
        "First domain to hold mail for; Enter: none yet: \n"
    )


def test_a_domain_brings_the_questions_about_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = "\n\nacme.example\n\nmail.acme.example\n\nexim\n"
    found = asked(monkeypatch, typed)
    assert {name: found[name] for name in ("account", "login", "destination", "allow")} == {
        "account": "acme",
        "login": "acme",
        "destination": "mail.acme.example:25",
        "allow": "mail.acme.example",
    }
    assert capsys.readouterr().out.partition("none yet: ")[2] == (
        "acme.example\n"
        "Account that owns the domain [acme]: \n"
        "The domain's own mail server, as HOST or HOST:PORT: mail.acme.example\n"
        "Host or network that may ask for the mail [mail.acme.example]: \n"
        "Lines for it are known for postfix, postfix-proxy, postfix-xclient, rspamd,\n"
        "exim, exchange-online, exchange, stalwart, mailcow, docker-mailserver,\n"
        "opendmarc.\n"
        "Program of the domain's own mail server [postfix]: exim\n"
    )


def test_bad_answers_are_asked_again_with_a_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "my server\nmx2\nletsencrypt\n\nwww acme\n\n")
    assert capsys.readouterr().out == (
        "Full name of this server in DNS [mx2.example.net]: my server\n"
        "  'my server' is not a host name. Write a full name, such as mx2.example.net.\n"
        "Full name of this server in DNS [mx2.example.net]: mx2\n"
        "  Note: mx2 is not a full name, so other servers may refuse this one.\n"
        "Certificate: self-signed, acme or own [self-signed]: letsencrypt\n"
        "  'letsencrypt' is not a choice. Write self-signed, acme or own.\n"
        "Certificate: self-signed, acme or own [self-signed]: \n"
        "First domain to hold mail for; Enter: none yet: www acme\n"
        "  'www acme' is not a domain name. Write one such as example.org, or press\n"
        "  Enter.\n"
        "First domain to hold mail for; Enter: none yet: \n"
    )


def test_the_terms_of_the_authority_are_shown_before_they_are_accepted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(monkeypatch, "\nacme\nno\nyes\nolga@example.net\n\n")
    assert (found["accept_terms"], found["contact"]) == (TERMS, "olga@example.net")
    shown = capsys.readouterr().out
    assert shown.index(TERMS) < shown.index("Do you accept these terms (yes or no): no\n")
    assert "Without them the authority issues nothing." in shown


def test_root_is_asked_for_the_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(monkeypatch, "\nroot\nmail\n\n\n", ROOTS)
    assert found["user"] == "mail"
    assert "  The server does not run as root. Write the name of a plain user.\n" in (
        capsys.readouterr().out
    )


def test_an_option_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"hostname": "MX9.example.net", "certificate": "self-signed", "mx_port": "25"}
    found = asked(monkeypatch, "\n", given=given)
    assert (found["hostname"], found["mx_port"]) == ("mx9.example.net", "25")
    assert capsys.readouterr().out == "First domain to hold mail for; Enter: none yet: \n"


def test_the_end_of_the_input_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(typer.Abort):
        asked(monkeypatch, "")


@pytest.mark.parametrize("given", [{}, {"domain": ""}])
def test_without_questions_defaults_are_taken(given: Mapping[str, str]) -> None:
    found = gather_answers(ROOTS, given, {"dir": "/srv/restante"}, asks=False)
    assert found["user"] == "restante"
    assert found["listen"] == "0.0.0.0,::"
    assert "account" not in found


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"domain": "a.example"}, Exit.USAGE, "--destination: has no default here"),
        ({"certificate": "own"}, Exit.USAGE, "--certificate-file: has no default here"),
        ({"certificate": "acme"}, Exit.USAGE, "--accept-terms: has no default here"),
        ({"hostname": "a b"}, Exit.DATA, "--hostname: 'a b' is not a host name."),
        ({"account": "acme"}, Exit.USAGE, "--account: is about a domain; give --domain too"),
        ({"user": "mail"}, Exit.USAGE, "--user: only root can choose it"),
        ({"key_file": "x"}, Exit.USAGE, "--key-file: is only for --certificate own"),
        ({"contact": "a@b.example"}, Exit.USAGE, "--contact: is only for --certificate acme"),
    ],
)
def test_an_option_that_will_not_do_is_named(
    given: Mapping[str, str], code: Exit, said: str
) -> None:
    with pytest.raises(Failure) as caught:
        gather_answers(OLGAS, given, AT_OLGAS, asks=False)
    assert caught.value.code == code
    assert caught.value.texts[0].startswith(said)


def test_the_directory_comes_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", TypedTerminal("\n"))
    first = PLACES[:1]
    assert gather_answers(OLGAS, {}, {}, asks=True, questions=first) == AT_OLGAS
    assert capsys.readouterr().out == (
        "Directory for configuration and keys [/home/olga/restante]: \n"
    )
    found = gather_answers(ROOTS, {"mx_port": "26"}, {}, asks=False, questions=PLACES)
    assert (found["dir"], found["mx_port"]) == ("/etc/restante", "26")
    assert "hostname" not in found
