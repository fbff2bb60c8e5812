"""The check of a domain: real DNS answers, a real Postfix as the destination, the real command."""

from __future__ import annotations

import json
import os
import re
import smtplib
from pathlib import Path
from typing import Any, Final

from tests.acceptance.client_run import run_client, secret_file
from tests.acceptance.installation import HOST, HOSTNAME, Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import run

DOMAIN: Final = "customer.example"
OWN_RULES: Final = "# your own client rules follow here, as part of this setting"
FAILS: Final = 2  # the exit code
SESSION: Final = re.compile(r"disconnect from \S+ (ehlo=.*)")


def records(address: str, spf: str) -> dict[str, dict[str, list[str]]]:
    """Return a zone in which this server is the second MX, and mail leaves from `address`."""
    reverse = ".".join(reversed(address.split(".")))
    return {
        DOMAIN: {
            "MX": ["10 mail.customer.example.", f"20 {HOSTNAME}."],
            "TXT": [f'"{spf}"'],
        },
        "mail.customer.example": {"A": ["203.0.113.1"]},
        f"_dmarc.{DOMAIN}": {"TXT": ['"v=DMARC1; p=reject"']},
        HOSTNAME: {"A": [address], "TXT": ['"v=spf1 a -all"']},
        f"{reverse}.in-addr.arpa": {"PTR": [f"{HOSTNAME}."]},
    }


def rows_of(restante: Installation, code: int) -> dict[str, dict[str, Any]]:
    ended = restante.run("domain", "check", DOMAIN, "--json")
    assert ended.returncode == code, ended.stderr
    return {row["check"]: row for row in json.loads(ended.stdout)["rows"]}


def test_a_postfix_is_looked_at_and_gets_no_mail() -> None:
    with (
        NameServer({}) as names,
        Installation(more=names.settings) as restante,
        PostfixPrimary([DOMAIN]) as primary,
    ):
        primary.start()
        restante.start()
        restante.hosts(DOMAIN, at(primary))
        names.records = records("127.0.0.1", "v=spf1 mx -all")
        rows = rows_of(restante, FAILS)
        assert "greets after" in rows["reachable"]["evidence"]
        assert rows["acceptance"]["verdict"] == rows["own-name"]["verdict"] == "pass"
        assert rows["domain-spf"]["verdict"] == "fail"  # forgeries pass DMARC
        assert rows["domain-spf"]["snippet"].endswith('"v=spf1 ip4:203.0.113.1 -all"')
        assert rows["size"]["snippet"].endswith("--message-size 10240000")

        names.records = records("127.0.0.1", "v=spf1 ip4:203.0.113.1 -all")
        assert rows_of(restante, 0)["domain-spf"]["verdict"] == "pass"
        assert rows_of(restante, 0)["release"]["verdict"] == "unknown"  # no proof of ETRN yet
        sessions = SESSION.findall(primary.log_path.read_text())
        assert sessions == ["ehlo=1 mail=3 rcpt=3 rset=3 quit=1 commands=11"]  # the last look holds
        assert primary.mailbox.count() == 0


class PostfixWithLines(PostfixPrimary):
    """A Postfix whose main.cf ends with lines that a test adds."""

    lines = ""

    def _configure(self) -> list[str | Path]:
        command = super()._configure()
        main = self.directory / "main.cf"
        main.write_text(f"{main.read_text()}{self.lines}\n")
        os.utime(main, (0, 0))
        assert run("postfix", "-c", main.parent, "check").returncode == 0
        return command

    @property
    def directory(self) -> Path:
        """The directory of its configuration."""
        return self._top / "etc"

    def in_use(self, name: str) -> str:
        """Return the value of a setting, as Postfix has read it."""
        shown = run("postconf", "-c", self.directory, "-h", name)
        return " ".join(shown.stdout.split())


class EximWithLines(EximPrimary):
    """An Exim whose access list for RCPT begins with lines that a test adds, and refuses others."""

    lines = ""

    def _configure(self) -> list[str | Path]:
        command = super()._configure()
        file = self._top / "etc/exim4/exim4.conf"
        begin, mark, rest = file.read_text().partition("at_rcpt:\n")
        own = "  deny    message = strangers are refused\n"
        names = f"domainlist local_domains = {DOMAIN}\n"
        file.write_text(f"{names}{begin}{mark}{self.lines}\n{own}{rest}")
        return command


def lines_for(software: str, primary: Primary, restante: Installation) -> str:
    """Host the domain at a primary, and return the lines for its configuration."""
    restante.start()
    restante.hosts(DOMAIN, at(primary))
    shown = json.loads(restante.do("domain", "snippet", DOMAIN, "--for", software, "--json"))
    [part] = shown["parts"]
    text: str = part["text"]
    return text


def rcpt_from(address: str, primary: Primary, sender: str = "a@sender.example") -> int:
    """Return the code of the reply to RCPT that a client at an address gets."""
    with smtplib.SMTP(primary.address, primary.port, "client.example", 10, (address, 0)) as client:
        client.ehlo()
        client.mail(sender)
        return client.rcpt(f"b@{DOMAIN}")[0]


def test_a_postfix_loads_the_lines_for_it_and_obeys_them() -> None:
    """Its own rule refuses every client; the lines in front of it let this server in."""
    with (
        NameServer({}) as names,
        Installation(more=names.settings) as restante,
        PostfixWithLines([DOMAIN]) as primary,
    ):
        lines = lines_for("postfix", primary, restante)
        assert OWN_RULES in lines
        primary.lines = lines.replace(OWN_RULES, "    reject")
        primary.start()

        assert rcpt_from("127.0.0.1", primary) == 250
        assert rcpt_from("127.0.0.2", primary) == 554
        assert primary.in_use("smtpd_client_event_limit_exceptions") == "$mynetworks, 127.0.0.1"
        etc = primary.directory
        table = primary.in_use("postscreen_access_list").removeprefix("permit_mynetworks, ")
        assert run("postmap", "-c", etc, "-q", "127.0.0.1", table).stdout.strip() == "permit"
        assert run("postmap", "-c", etc, "-q", "127.0.0.2", table).stdout.strip() == ""


def test_an_exim_loads_the_lines_for_it_and_obeys_them() -> None:
    with (
        NameServer({}) as names,
        Installation(more=names.settings) as restante,
        EximWithLines([DOMAIN]) as primary,
    ):
        primary.lines = lines_for("exim", primary, restante)
        primary.start()

        assert rcpt_from("127.0.0.1", primary) == 250
        assert rcpt_from("127.0.0.2", primary) == 550
        assert rcpt_from("127.0.0.1", primary, f"boss@{DOMAIN}") == 550  # no forgery comes in


def test_the_primary_runs_the_check_with_a_token() -> None:
    """As its customer does: the client's program, HTTPS, and no right but those of the token."""
    with NameServer({}) as names, Installation(more=names.settings) as restante:
        web = f'address = "{HOST}:{restante.web_port}"'
        restante.config.write_text(restante.config.read_text().replace(web, f"{web}\ntls = true"))
        restante.start()
        restante.hosts(DOMAIN, "192.0.2.25:25")
        words = ("token", "add", "alpha", "doctor", "--scope", "domain:write")
        held = restante.do(*words, "--scope", "domain:read").split()[-1]
        token = str(secret_file(restante.directory, "token", held))
        where = (f"localhost:{restante.web_port}", DOMAIN, "--token-file", token)
        ca = ("--ca", str(restante.authority))

        ended = run_client("doctor", *where, *ca, "--local", "none", "--json")
        rows = {row["check"]: row for row in json.loads(ended.stdout)["rows"]}
        assert ended.returncode == FAILS, ended.stderr
        assert rows["reachable"]["verdict"] == "fail"  # nobody listens there
        assert rows["clock"]["verdict"] == "pass"
        lines = run_client("snippet", *where, *ca, "--for", "rspamd")
        assert 'rules { BACKUP_MX { strategy = "local"; } }' in lines.stdout.splitlines()
