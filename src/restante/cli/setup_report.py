"""The texts of `restante setup`: the plan, and afterwards the next steps."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from restante.cli.display import JsonObject, say, screen_width
from restante.cli.domain_check_command import say_check_row
from restante.cli.domain_dns_command import say_record
from restante.cli.domain_snippet_command import say_snippet_parts
from restante.cli.failures import printable
from restante.cli.setup_answers import Answers, CertificateSource
from restante.cli.setup_machine import SYSTEM_DIRECTORY, UNIT_NAME, MachineFacts, shown_program
from restante.cli.setup_steps import files_of, listeners_of, password_file, store_place
from restante.cli.table import fold
from restante.config.setup_files import KEY_NAME
from restante.readiness.primary_snippets import NO_ADDRESS
from restante.readiness.readiness_row import ReadinessCheck, ReadinessVerdict
from restante.web.portal.primary_setup import SetupNames, asking

_INDENT: Final = "   "
_LOOPBACK_ONLY: Final = (
    "It takes mail from this machine only. For the Internet, set up a server as root, or one that"
    " listens on other addresses (--listen)."
)
_PROVEN_LATER: Final = (ReadinessCheck.RELEASE, ReadinessCheck.DRILL, ReadinessCheck.FILTERS)
_CERTIFICATE: Final = ReadinessCheck.OWN_CERTIFICATE
_WORST: Final = (ReadinessVerdict.FAIL, ReadinessVerdict.WARN)


@dataclass(frozen=True, slots=True)
class SetupOutcome:
    """A finished setup, and a look at its domain."""

    answers: Answers
    machine: MachineFacts
    seen: JsonObject  # views of the API: dns, check, snippets; failures
    is_running: bool = False

    @property
    def runs(self) -> bool:
        """Whether the server runs, or is started by systemd."""
        return self.is_running or self.answers["service"] == "yes"

    @property
    def directory(self) -> Path:
        """The directory of the configuration."""
        return Path(self.answers["dir"])

    @property
    def config(self) -> Path:
        """The configuration file."""
        return files_of(self.answers, self.machine).config

    def command(self, *words: str) -> str:
        """Return a command of this installation, as a person types it here."""
        place = [] if self.directory == SYSTEM_DIRECTORY else ["--config", str(self.config)]
        return shlex.join([shown_program(), *place, *words])

    @property
    def start_command(self) -> str:
        """Return the command that starts the server."""
        if self.answers["service"] == "yes":
            return f"systemctl start {UNIT_NAME.removesuffix('.service')}"
        return shlex.join([shown_program(), "--config", str(self.config), "serve"])


def plan_fields(answers: Answers, machine: MachineFacts) -> Iterator[tuple[str, object]]:
    """Yield the names and values of a plan, to show before anything is done."""
    yield "server", answers["hostname"]
    yield "runs as", answers.get("user") or machine.user
    yield "configuration", answers["dir"]
    yield "held mail", store_place(answers, machine)
    listeners = listeners_of(answers)
    for title, services in (("takes mail at", ("mx", "smtps")), ("also listens at", ())):
        chosen = [
            one
            for one in listeners
            if one.service in services or (not services and one.service not in ("mx", "smtps"))
        ]
        yield title, [f"{one.address} ({one.service})" for one in chosen]
    yield "certificate", _certificate_words(answers)
    if answers["domain"]:
        yield "domain", f"{answers['domain']}, of account {answers['account']}"
        yield "its mail goes to", answers["destination"]
        yield "may ask for it", f"{answers['login']}, from {answers['allow']}"
    else:
        yield "domain", "none yet"
    by_unit = f"{UNIT_NAME}, now and at each boot"
    yield "started by", by_unit if answers["service"] == "yes" else "you: the command follows"


def _certificate_words(answers: Answers) -> str:
    match answers["certificate"]:
        case CertificateSource.OWN:
            return f"a copy of {answers['certificate_file']}"
        case CertificateSource.ACME:
            return "by ACME from Let's Encrypt; self-signed until it is there"
    return "self-signed, valid for 397 days"


def say_outcome(outcome: SetupOutcome) -> None:
    """Print the next steps, in their order."""
    say("")
    runs = outcome.runs
    say("Restante is set up, and runs." if runs else "Restante is set up. It does not run yet.")
    if all(ip_address(one).is_loopback for one in outcome.answers["listen"].split(",")):
        _say(_LOOPBACK_ONLY, "")
    sections = [_key, *([] if runs else [_start])]
    sections += [_dns, _primary, _filters, _check] if outcome.answers["domain"] else [_add_domain]
    for number, section in enumerate(sections, start=1):
        say("")
        section(outcome, number)
    say("")
    _say("To look at the server:", "")
    _copy([outcome.command("status")])


def next_commands(outcome: SetupOutcome) -> list[str]:
    """Return the commands that are left for the operator, for programs."""
    found = [outcome.command("key", "confirm-copied")]
    if not outcome.runs:
        found.insert(0, outcome.start_command)
    if outcome.answers["domain"]:
        found.append(outcome.command("domain", "dns", outcome.answers["domain"]))
        found.append(outcome.command("domain", "check", outcome.answers["domain"]))
    return found


def _title(number: int, text: str) -> None:
    _say(text, f"{number}. ")


def _say(text: str, first: str = _INDENT, others: str | None = None) -> None:
    others = _INDENT if others is None and first else others or ""
    for line in fold(printable(text), screen_width(), first, others):
        say(line)


def _copy(lines: Sequence[str]) -> None:
    """Print lines to be copied, which are never folded."""
    for line in lines:
        print(f"{_INDENT}  {printable(line)}")  # noqa: T201


def _key(outcome: SetupOutcome, number: int) -> None:
    file = outcome.directory / KEY_NAME
    _title(number, f"Copy {file} to another machine. Without it, held mail is lost. Then type:")
    _copy([outcome.command("key", "confirm-copied")])


def _start(outcome: SetupOutcome, number: int) -> None:
    _title(number, "Start the server. It runs until Ctrl-C:")
    _copy([outcome.start_command])


def _add_domain(outcome: SetupOutcome, number: int) -> None:
    _title(number, "Add a customer and a domain, and see the records to publish in DNS:")
    _copy(
        [
            outcome.command("account", "add", "acme"),
            outcome.command("login", "add", "acme", "acme-mail", "--generate"),
            outcome.command(
                *("domain", "add", "acme.example", "--account", "acme"),
                *("--destination", "mail.acme.example", "--allow", "mail.acme.example"),
            ),
            outcome.command("domain", "dns", "acme.example"),
        ]
    )


def _dns(outcome: SetupOutcome, number: int) -> None:
    _title(number, "Publish the needed records that DNS does not have yet:")
    view = outcome.seen.get("dns")
    if view is None:
        _say("They could not be made, because of this:")
        _failures(outcome)
    else:
        for row in view["records"]:
            if not row["is_optional"]:
                say_record(row)
        _say("A record is unknown if no name server answered. To see all of them again:")
    _copy([outcome.command("domain", "dns", outcome.answers["domain"])])


def _failures(outcome: SetupOutcome) -> None:
    for text in outcome.seen.get("failures", ()):
        _say(text, f"{_INDENT}  ", f"{_INDENT}  ")


def _primary(outcome: SetupOutcome, number: int) -> None:
    answers = outcome.answers
    host = answers["destination"].rpartition(":")[0]
    _title(
        number,
        f"Let {host} ask for held mail. Move the password in {password_file(answers)} to"
        " /etc/restante-password there, readable by root alone.",
    )
    port = int(answers["smtps_port"])
    names = SetupNames(answers["hostname"], port, answers["domain"], answers["login"], host)
    lines = asking(names)[0]
    _say(f"There, with {lines.title} (docs/how-to/ask-for-mail.md has other programs):")
    own = answers["certificate"] == CertificateSource.SELF_SIGNED
    trust = " \\\n    --ca /etc/restante-trust.pem" if own else ""
    _copy(f"{lines.text}{trust}".splitlines())
    if own:
        _say(
            f"/etc/restante-trust.pem is a copy of {outcome.directory}/tls/trust.pem: the"
            " certificate of this server is self-signed."
        )


def _filters(outcome: SetupOutcome, number: int) -> None:
    domain, program = outcome.answers["domain"], outcome.answers["primary"]
    _title(number, "Let its filters judge the original client of held mail, not this server:")
    for snippet in outcome.seen.get("snippets", ()):
        say_snippet_parts(snippet["parts"], _INDENT)
        if any(NO_ADDRESS in part["text"] for part in snippet["parts"]):
            _say(f"{NO_ADDRESS} stands for the address from which this server connects.")
        _say(f"Danger: {snippet['danger']}")
    _say("The same again, and for other programs:")
    _copy([outcome.command("domain", "snippet", domain, "--for", program)])


def _check(outcome: SetupOutcome, number: int) -> None:
    view = outcome.seen.get("check")
    if view is None:
        _title(number, "The domain could not be checked, because of this:")
        _failures(outcome)
        _say("Check it later:")
    else:
        faults = [row for row in view["rows"] if row["verdict"] in _WORST and not _is_later(row)]
        others = (row["verdict"] for row in view["rows"] if not _is_later(row))
        unknown = sum(verdict == ReadinessVerdict.UNKNOWN for verdict in others)
        _title(number, _check_words(len(faults), unknown))
        for row in faults:
            say_check_row(row)
        _say_later([row for row in view["rows"] if _is_later(row)])
        _say("Check it again, with all rows:")
    _copy([outcome.command("domain", "check", outcome.answers["domain"])])


def _is_later(row: JsonObject) -> bool:
    """Tell whether a row is about a proof that no fresh server has yet, which is no fault."""
    is_unproven = row["verdict"] == ReadinessVerdict.UNKNOWN and row["check"] in _PROVEN_LATER
    is_self_signed = row["verdict"] == ReadinessVerdict.WARN and row["check"] == _CERTIFICATE
    return is_unproven or is_self_signed


def _say_later(rows: Sequence[JsonObject]) -> None:
    if rows:
        _say("To be done before a bad day:")
    for row in rows:
        _say(f"{row['title']}: {row['remedy']}", f"{_INDENT}- ", f"{_INDENT}  ")


def _check_words(found: int, unknown: int) -> str:
    if found:
        return "Correct these faults, which keep held mail from arriving:"
    if unknown:
        return "Nothing was found that keeps mail from arriving, but not all could be looked at."
    return "Nothing was found that keeps held mail from arriving."


def outcome_document(
    outcome: SetupOutcome, steps: Sequence[JsonObject], *, changed: bool
) -> dict[str, Any]:
    """Return the JSON of a setup."""
    answers = outcome.answers
    return {
        "changed": changed,
        "steps": list(steps),
        "answers": dict(answers),
        "config": str(outcome.config),
        "password_file": str(password_file(answers)) if answers["domain"] else None,
        "start": outcome.start_command,
        "next": next_commands(outcome),
        "dns": outcome.seen.get("dns"),
        "check": outcome.seen.get("check"),
        "snippets": outcome.seen.get("snippets", []),
        "failures": list(outcome.seen.get("failures", [])),
    }
