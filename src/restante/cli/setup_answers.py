"""The questions of `restante setup`: their defaults, and whether an answer will do.

Each question is an option too. An answer is a text. A check returns it in its canonical spelling,
or raises ValueError with plain sentences: cause and remedy.
"""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from restante.cli.setup_machine import (
    SYSTEM_DIRECTORY,
    MachineFacts,
    own_program,
    why_no_unit,
)
from restante.mail.address import canonical_domain, split_mailbox
from restante.network.addresses import join_host_port, split_host_port
from restante.phrases import HAS_EXPIRED, cause_of
from restante.readiness.primary_snippets import PrimaryProgram
from restante.tenancy.model import parse_authorized_hosts

TERMS: Final = "https://letsencrypt.org/documents/LE-SA-v1.6-August-18-2025.pdf"
DEFAULT_USER: Final = "restante"
_SMTP_PORT: Final = 25
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,30}\Z")
_LOGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")  # as admin/logins
_LAST_PORT: Final = 65535
_ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")  # as admin/accounts

Answers = Mapping[str, str]


class CertificateSource(StrEnum):
    """Where the server's certificate comes from."""

    SELF_SIGNED = "self-signed"
    ACME = "acme"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class SetupQuestion:
    """One question. Functions get the machine, and the answers before this one."""

    name: str  # that of its option, with _
    text: str
    default: Callable[[MachineFacts, Answers], str | None]  # None: it must be answered
    check: Callable[[str, Answers], str]
    is_asked: Callable[[MachineFacts, Answers], bool] = lambda _machine, _answers: True
    before: str = ""  # said first
    is_silent: bool = False  # an option or the default answers it, and nobody is asked

    def checked(self, text: str, answers: Answers) -> str:
        """Return an answer in its canonical spelling. Raises ValueError."""
        if text.isprintable():
            return self.check(text, answers)
        raise ValueError(f"{text!r} has control characters. Write it without them.")

    @property
    def option(self) -> str:
        """The option that answers it."""
        return f"--{self.name.replace('_', '-')}"


def _directory(text: str, _: Answers) -> str:
    if not text:
        raise ValueError("A directory has a name. Write one, such as /etc/restante.")
    path = Path(text).expanduser().absolute()
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return str(path)  # it is made later
    except (OSError, ValueError) as error:  # a name that is too long, or a loop of links
        raise ValueError(f"{path}: {cause_of(error)}. Write another name.") from None
    if not stat.S_ISDIR(mode):
        raise ValueError(f"{path} is a file. Write the name of a directory.")
    return str(path)


def _hostname(text: str, _: Answers) -> str:
    try:
        return canonical_domain(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a host name. Write a full name, such as mx2.example.net."
        ) from None


def _user(text: str, _: Answers) -> str:
    if text == "root":
        raise ValueError("The server does not run as root. Write the name of a plain user.")
    if not _USER.match(text):
        raise ValueError(f"{text!r} is not a user name. Write one such as restante.")
    return text


def _certificate(text: str, _: Answers) -> str:
    try:
        return CertificateSource(text.lower())
    except ValueError:
        raise ValueError(f"{text!r} is not a choice. Write self-signed, acme or own.") from None


def _certificate_file(text: str, _: Answers) -> str:
    from restante.config.certificate import UnfitCertificate, read_certificate  # noqa: PLC0415

    path = _readable(text)
    try:
        ends = read_certificate(path.read_bytes()).not_valid_after_utc
    except UnfitCertificate as error:
        raise ValueError(f"{path} {error.cause}. {_sentence(error.remedy)}") from None
    if ends < datetime.now(UTC):
        raise ValueError(f"{path} {HAS_EXPIRED} ({ends:%Y-%m-%d}). Name one that is valid.")
    return str(path)


def _key_file(text: str, answers: Answers) -> str:
    from restante.config.certificate import (  # noqa: PLC0415  heavy
        UnfitCertificate,
        public_key_of,
        read_certificate,
        read_public_key,
    )

    path, certificate = _readable(text), Path(answers["certificate_file"])
    try:
        key = read_public_key(path.read_bytes())
    except UnfitCertificate as error:
        raise ValueError(f"{path} {error.cause}. {_sentence(error.remedy)}") from None
    if key != public_key_of(read_certificate(certificate.read_bytes())):
        raise ValueError(f"{path} is not the key of {certificate}. Name its key.")
    return str(path)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _readable(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}. Name a file that you may read.") from None


def _terms(text: str, _: Answers) -> str:
    if text.lower() in ("yes", "y"):
        return TERMS
    if text.startswith("https://"):
        return text
    raise ValueError(
        "Without them the authority issues nothing. Write yes, or press Ctrl-C and choose another"
        " certificate."
    )


def _contact(text: str, _: Answers) -> str:
    if text and not all(split_mailbox(text)):
        raise ValueError(f"{text!r} is not a mail address. Write one, or press Enter for none.")
    return text


def _domain(text: str, _: Answers) -> str:
    try:
        return canonical_domain(text) if text else ""
    except ValueError:
        raise ValueError(
            f"{text!r} is not a domain name. Write one such as example.org, or press Enter."
        ) from None


def _account(text: str, _: Answers) -> str:
    if not _ACCOUNT.match(text):
        raise ValueError(
            f"{text!r} is not an account name. Write up to 64 of a-z 0-9 . _ -, such as acme."
        )
    return text


def _destination(text: str, answers: Answers) -> str:
    if text == "none":
        raise ValueError(
            "A domain without a server that can be reached is added later, by `restante domain add"
            " --destination none`. Write a host, or press Ctrl-C."
        )
    try:
        host, port = split_host_port(text, _SMTP_PORT)
        host = _host(host)
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(
            f"{text!r} is not a host. Write a name or an address, such as mail.example.org or"
            " 192.0.2.25:2525."
        )
    if host == answers.get("hostname") or _is_own_listener(host, port, answers):
        raise ValueError(f"{text} is this server. Write the server where the domain's mail goes.")
    return join_host_port(host, port)


def _is_own_listener(host: str, port: int, answers: Answers) -> bool:
    """Return whether we shall listen there, as far as it can be seen without DNS."""
    if str(port) not in {answers[name] for name in answers if name.endswith("_port")}:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    if str(address) in answers["listen"].split(","):
        return True
    return address.is_loopback or address.is_unspecified


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return canonical_domain(text)


def _allow(text: str, _: Answers) -> str:
    try:
        return parse_authorized_hosts([text]).texts[0]
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a host nor a network. Write a name, an address, or a network"
            " such as 192.0.2.0/24."
        ) from None


def _primary(text: str, _: Answers) -> str:
    text = text.lower()
    if text not in [*PrimaryProgram]:
        raise ValueError(f"{text!r} is not known. Write one of {', '.join(PrimaryProgram)}.")
    return text


def _login(text: str, _: Answers) -> str:
    if not _LOGIN.match(text):
        raise ValueError(f"{text!r} is not a user name. Write one such as acme-mail.")
    return text


def _listen(text: str, _: Answers) -> str:
    try:
        found = (str(ip_address(one.strip(" []"))) for one in text.split(","))
        return ",".join(dict.fromkeys(found))
    except ValueError:
        raise ValueError(
            f"{text!r} is not an address of this machine. Write one such as 0.0.0.0, or several"
            " with commas."
        ) from None


def _port(text: str, _: Answers) -> str:
    if not (text.isdecimal() and 0 < int(text) <= _LAST_PORT):
        raise ValueError(f"{text!r} is not a port. Write a number from 1 to {_LAST_PORT}.")
    return str(int(text))


def _yes_or_no(text: str, _: Answers) -> str:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no. Write one of them.")
    return text


def _default_listen(machine: MachineFacts, _: Answers) -> str:
    if not machine.is_root:
        return "127.0.0.1"
    return "0.0.0.0,::" if machine.has_ipv6 else "0.0.0.0"  # noqa: S104  it is for the Internet


def _port_question(service: str, of_root: int, of_others: int) -> SetupQuestion:
    return SetupQuestion(
        f"{service}_port",
        f"Port of {service}",
        lambda machine, _: str(of_root if machine.is_root else of_others),
        _port,
        is_silent=True,
    )


def _default_service(machine: MachineFacts, answers: Answers) -> str:
    is_system = machine.is_root and answers["dir"] == str(SYSTEM_DIRECTORY)
    may_start = machine.has_systemd and not why_no_unit(own_program())
    return "yes" if is_system and may_start else "no"


def _default_account(_: MachineFacts, answers: Answers) -> str | None:
    label = answers["domain"].partition(".")[0]
    return label if _ACCOUNT.match(label) else None


def _is_by(source: CertificateSource) -> Callable[[MachineFacts, Answers], bool]:
    return lambda _, answers: answers["certificate"] == source


def _has_domain(_: MachineFacts, answers: Answers) -> bool:
    return bool(answers["domain"])


# Of the last step: they may be corrected until it is done.
CORRECTABLE: Final = frozenset({"domain", "account", "login", "destination", "allow", "primary"})
# Where the installation is, and where it listens: the machine may refuse that at once.
PLACES: Final = (
    SetupQuestion(
        "dir",
        "Directory for configuration and keys",
        lambda machine, _: str(SYSTEM_DIRECTORY if machine.is_root else machine.home / "restante"),
        _directory,
    ),
    SetupQuestion("listen", "Addresses that take mail", _default_listen, _listen, is_silent=True),
    _port_question("mx", 25, 2525),
    _port_question("smtps", 465, 4465),
    _port_question("acme", 80, 8080),
    _port_question("web", 8025, 8025),
    _port_question("odmr", 3660, 3660),
    SetupQuestion(
        "service", "Start by systemd (yes or no)", _default_service, _yes_or_no, is_silent=True
    ),
)
QUESTIONS: Final = (
    *PLACES,
    SetupQuestion(
        "hostname",
        "Full name of this server in DNS",
        lambda machine, _: machine.hostname,
        _hostname,
    ),
    SetupQuestion(
        "user",
        "Unix user that the server runs as",
        lambda _machine, _answers: DEFAULT_USER,
        _user,
        lambda machine, _: machine.is_root,
    ),
    SetupQuestion(
        "certificate",
        "Certificate: self-signed, acme or own",
        lambda _machine, _answers: CertificateSource.SELF_SIGNED.value,
        _certificate,
    ),
    SetupQuestion(
        "certificate_file",
        "File of the certificate and its chain (PEM)",
        lambda _machine, _answers: None,
        _certificate_file,
        _is_by(CertificateSource.OWN),
    ),
    SetupQuestion(
        "key_file",
        "File of its key (PEM)",
        lambda _machine, _answers: None,
        _key_file,
        _is_by(CertificateSource.OWN),
    ),
    SetupQuestion(
        "accept_terms",
        "Do you accept these terms (yes or no)",
        lambda _machine, _answers: None,
        _terms,
        _is_by(CertificateSource.ACME),
        before=f"Let's Encrypt issues certificates under these terms: {TERMS}",
    ),
    SetupQuestion(
        "contact",
        "Your mail address for the authority; Enter: none",
        lambda _machine, _answers: "",
        _contact,
        _is_by(CertificateSource.ACME),
    ),
    SetupQuestion(
        "domain",
        "First domain to hold mail for; Enter: none yet",
        lambda _machine, _answers: "",
        _domain,
    ),
    SetupQuestion(
        "account", "Account that owns the domain", _default_account, _account, _has_domain
    ),
    SetupQuestion(
        "login",
        "User name by which its mail server asks",
        lambda _, answers: answers["account"],
        _login,
        _has_domain,
        is_silent=True,
    ),
    SetupQuestion(
        "destination",
        "The domain's own mail server, as HOST or HOST:PORT",
        lambda _machine, _answers: None,
        _destination,
        _has_domain,
    ),
    SetupQuestion(
        "allow",
        "Host or network that may ask for the mail",
        lambda _, answers: split_host_port(answers["destination"])[0],
        _allow,
        _has_domain,
    ),
    SetupQuestion(
        "primary",
        "Program of the domain's own mail server",
        lambda _machine, _answers: PrimaryProgram.POSTFIX.value,
        _primary,
        _has_domain,
        before=f"Lines for it are known for {', '.join(PrimaryProgram)}.",
    ),
)
