"""The text of a new configuration, with its comments. Pure.

`restante init` and `restante setup` write it. Without choices it listens on loopback ports, and the
comments describe the changes for the Internet.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ACME_DIRECTORY: Final = "https://acme-v02.api.letsencrypt.org/directory"
SELF_SIGNED: Final = (("tls/cert.pem", "tls/key.pem"), ("tls/cert-rsa.pem", "tls/key-rsa.pem"))
_COMMENT_COLUMN: Final = 31
_LOOPBACK: Final = ("127.", "[::1]")


@dataclass(frozen=True, slots=True)
class ListenChoice:
    """One `[[listen]]`."""

    service: str
    address: str


@dataclass(frozen=True, slots=True)
class AcmeChoice:
    """The settings of `[acme]` for the server's own name."""

    directory: str
    accept_terms: str
    contact: str = ""


LOOPBACK_LISTENERS: Final = (
    ListenChoice("mx", "127.0.0.1:2525"),
    ListenChoice("smtps", "127.0.0.1:4465"),
    ListenChoice("web", "127.0.0.1:8025"),
    ListenChoice("odmr", "127.0.0.1:3660"),
)


@dataclass(frozen=True, slots=True)
class ConfigChoices:
    """The values of a new configuration that differ between installations."""

    hostname: str
    store: str = "sqlite:data"
    control_socket: str = ""  # "": beside the store
    user: str = ""
    listeners: Sequence[ListenChoice] = LOOPBACK_LISTENERS
    certificates: Sequence[tuple[str, str]] = SELF_SIGNED  # files of certificates and their keys
    acme: AcmeChoice | None = None
    looks_up_clients: bool = False  # `[reception] ptr`


_TEMPLATE: Final = """\
# Restante, a backup MX that holds mail until the primary asks for it.
# docs/reference/configuration.md describes every setting. Relative paths start at this file's
# directory. `restante config check` reports errors.

# This server's own full name, used in the greeting, in EHLO and in Received.
hostname = {hostname}

# The directory for mail and records. Only the server may have access to it.
{store}

# Encrypts the secrets in the store, and the content of its mail. Without this file, that mail is
# lost. Keep a copy of it apart from the copies of the store: restante key --help
key_file = "restante.key"
seal_content = true

{user}

{listeners}

[tls]
{tls}
minimum = "1.2"                 # "1.0" for old primaries; also per listener: tls_minimum

{acme}[log]
style = "text"                  # "json" for programs
# to = "file"                   # or "syslog"; without it, standard error
# file = "/var/log/restante/restante.log"

{reception}

# [telemetry]
# metrics = "127.0.0.1:9325"    # for Prometheus; the control socket serves them always
"""
_NO_USER: Final = """\
# On the Internet: start as root. The server binds its ports, then becomes this user, who must own
# the store.
# user = "restante\""""
_USER: Final = """\
# Started as root, the server binds its ports, then becomes this user, who must own the store.
# Commands of root act as this user while no server runs.
user = """
_RENEW_YEARLY: Final = """\
# One certificate for each type of key: ECDSA, and RSA for old clients. They are self-signed, so
# clients that verify them need tls/trust.pem. Replace them with certificates of an authority, or
# renew them each year: restante init --renew-certificate
"""
_RENEW_BY_COPY: Final = """\
# Copies that the server's user may read. Copy renewed files here, and reload the server.
"""
_ACME: Final = """\
# The authority's certificate for `hostname` takes the place of the ECDSA one of [tls].
[acme]
directory = {directory}
names = [{hostname}]
accept_terms = {accept_terms}
"""
_NO_LOOK_UP: Final = """\
# [reception]
# ptr = true                    # on the Internet: look up the names of clients that bring mail"""
_LOOK_UP: Final = """\
[reception]
ptr = true                      # look up the names of clients that bring mail"""


def configuration_text(choices: ConfigChoices) -> str:
    """Return the text of a configuration."""
    return _TEMPLATE.format(
        hostname=_quoted(choices.hostname),
        store=_store(choices),
        user=f"{_USER}{_quoted(choices.user)}" if choices.user else _NO_USER,
        listeners="\n\n".join(map(_listener, choices.listeners)),
        tls=_tls(choices.certificates),
        acme=_acme(choices.hostname, choices.acme),
        reception=_LOOK_UP if choices.looks_up_clients else _NO_LOOK_UP,
    )


def _quoted(text: str) -> str:
    return json.dumps(text)


def _store(choices: ConfigChoices) -> str:
    store = f"store = {_quoted(choices.store)}"
    if not choices.control_socket:
        return store
    return f"{store}\ncontrol_socket = {_quoted(choices.control_socket)}"


_MEANING: Final = {
    "mx": "mail from any host, ETRN from primaries; TLS by STARTTLS",
    "smtps": "the same, inside TLS from the first byte",
    "web": "the portal and the API, over HTTP",
    "odmr": "primaries that nobody can reach take their mail here (ATRN)",
    "acme": "answers the authority's questions for [acme], at port 80",
}
_ELSEWHERE: Final = {
    "mx": 'on the Internet: "0.0.0.0:25", and a [[listen]] for "[::]:25"',
    "smtps": 'on the Internet: "0.0.0.0:465", and "[::]:465"',
    "web": "other addresses need tls = true, or trusted_proxies in [web]",
    "odmr": 'on the Internet: "0.0.0.0:366", and "[::]:366"',
}


def _listener(one: ListenChoice) -> str:
    remark = _ELSEWHERE.get(one.service, "") if one.address.startswith(_LOOPBACK) else ""
    service = _remarked(f"service = {_quoted(one.service)}", _MEANING[one.service])
    return f"[[listen]]\n{service}\n{_remarked(f'address = {_quoted(one.address)}', remark)}"


def _remarked(setting: str, remark: str) -> str:
    return f"{setting:{_COMMENT_COLUMN}} # {remark}" if remark else setting


def _tls(pairs: Sequence[tuple[str, str]]) -> str:
    certificates, keys = zip(*pairs, strict=True)
    remark = _RENEW_YEARLY if pairs == SELF_SIGNED else _RENEW_BY_COPY
    return f"{remark}certificate = {_one_or_list(certificates)}\nkey = {_one_or_list(keys)}"


def _one_or_list(texts: Sequence[str]) -> str:
    return _quoted(texts[0]) if len(texts) == 1 else json.dumps([*texts])


def _acme(hostname: str, acme: AcmeChoice | None) -> str:
    if acme is None:
        return ""
    text = _ACME.format(
        hostname=_quoted(hostname),
        directory=_quoted(acme.directory),
        accept_terms=_quoted(acme.accept_terms),
    )
    return f"{text}contact = {_quoted(acme.contact)}\n\n" if acme.contact else f"{text}\n"
