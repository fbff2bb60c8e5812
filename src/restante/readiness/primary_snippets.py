"""Lines for primaries, so that their filters judge the original client and not this server. Pure.

The command line, the API, the portal and the documentation have them from here. Each has its
danger stated: a setting that trusts the backup MX can also let forgeries in through it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from restante.stable_word import StableWord

NO_ADDRESS: Final = "ADDRESS"  # stands where the outgoing address is not known
NO_HOST: Final = "HOST"  # stands where the domain has no destination
PROXY_PORT: Final = 2526
_COLON: Final = ":"


class PrimaryProgram(StableWord):
    """A program of a primary, or in front of it."""

    POSTFIX = "postfix", "Postfix"
    POSTFIX_PROXY = "postfix-proxy", "Postfix with the PROXY protocol"
    POSTFIX_XCLIENT = "postfix-xclient", "Postfix with XCLIENT"
    RSPAMD = "rspamd", "rspamd"
    EXIM = "exim", "Exim"
    EXCHANGE_ONLINE = "exchange-online", "Exchange Online"
    EXCHANGE = "exchange", "Exchange with the Edge role"
    STALWART = "stalwart", "Stalwart"
    MAILCOW = "mailcow", "mailcow"
    DOCKER_MAILSERVER = "docker-mailserver", "docker-mailserver"
    OPENDMARC = "opendmarc", "OpenDMARC"


@dataclass(frozen=True, slots=True)
class SnippetNames:
    """The names that the lines contain."""

    domain: str
    destination: str  # its host, as in `domain set`; "" for none
    addresses: tuple[str, ...] = ()  # from which this server connects

    @property
    def listed(self) -> tuple[str, ...]:
        """The addresses, or a word in their place."""
        return self.addresses or (NO_ADDRESS,)

    @property
    def listed_4(self) -> tuple[str, ...]:
        """Those of IPv4, or a word in their place."""
        return tuple(one for one in self.addresses if _COLON not in one) or (NO_ADDRESS,)


@dataclass(frozen=True, slots=True)
class SnippetPart:
    """Lines for one place."""

    place: str  # a file, or a program to type them in
    text: str


@dataclass(frozen=True, slots=True)
class PrimarySnippet:
    """The lines for one program."""

    program: PrimaryProgram
    parts: tuple[SnippetPart, ...]
    danger: str  # of using it in another way
    is_tried: bool = False  # loaded by the program itself in our tests


def primary_snippet(program: PrimaryProgram, names: SnippetNames) -> PrimarySnippet:
    """Return the lines for a program."""
    return _MAKERS[program](names)


def primary_snippets(names: SnippetNames) -> list[PrimarySnippet]:
    """Return the lines for all programs."""
    return [primary_snippet(program, names) for program in PrimaryProgram]


def _postfix(names: SnippetNames) -> PrimarySnippet:
    permits = " ".join(f"{{{one} = permit}}," for one in names.listed).rstrip(",")
    ranges = " ".join(f"{{{one} permit}}," for one in names.listed).rstrip(",")
    return PrimarySnippet(
        PrimaryProgram.POSTFIX,
        (
            SnippetPart(
                "main.cf",
                "smtpd_client_restrictions =\n"
                f"    check_client_access inline:{{{permits}}}\n"
                "# your own client rules follow here, as part of this setting\n"
                "smtpd_client_event_limit_exceptions = $mynetworks, "
                f"{', '.join(names.listed)}\n"
                f"postscreen_access_list = permit_mynetworks, cidr:{{{ranges}}}",
            ),
        ),
        "Do not add the address to mynetworks: this server could relay anywhere, and the sender"
        " rules would not apply to its mail. Leave the rule against your own domain from outside in"
        " force: it stops forgeries that come through this server.",
        is_tried=True,
    )


def _postfix_proxy(names: SnippetNames) -> PrimarySnippet:
    set_it = f"restante domain set {names.domain} --destination"
    return PrimarySnippet(
        PrimaryProgram.POSTFIX_PROXY,
        (
            SnippetPart(
                "master.cf",
                f"{PROXY_PORT} inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy",
            ),
            SnippetPart(
                "this backup MX, once the port is open",
                f"{set_it} {names.destination or NO_HOST}:{PROXY_PORT} --client-address proxy",
            ),
        ),
        "A host that reaches this port can claim any address. Open it in the firewall for"
        f" {', '.join(names.listed)} only. Port 25 stays as it is.",
        is_tried=True,
    )


def _postfix_xclient(names: SnippetNames) -> PrimarySnippet:
    return PrimarySnippet(
        PrimaryProgram.POSTFIX_XCLIENT,
        (
            SnippetPart("main.cf", f"smtpd_authorized_xclient_hosts = {', '.join(names.listed)}"),
            SnippetPart(
                "this backup MX, afterwards",
                f"restante domain set {names.domain} --client-address xclient",
            ),
        ),
        "A host with this address can claim to be any client, and any logged-in user. Keep the"
        " address in your own hands, and require TLS for the destination.",
        is_tried=True,
    )


def _relay_files(names: SnippetNames, directory: str) -> tuple[SnippetPart, ...]:
    """Return the files by which rspamd judges the client before us."""
    return (
        SnippetPart(
            f"{directory}/external_relay.conf",
            'enabled = true;\nrules { BACKUP_MX { strategy = "local"; } }',
        ),
        SnippetPart(
            f"{directory}/options.inc",
            f"local_addrs = [127.0.0.0/8, ::1, {', '.join(names.listed)}];",
        ),
    )


_BOTH_FILES: Final = (
    "Use both files or neither. The second one alone switches off every check for mail from this"
    " server."
)


def _rspamd(names: SnippetNames) -> PrimarySnippet:
    return PrimarySnippet(
        PrimaryProgram.RSPAMD, _relay_files(names, "local.d"), _BOTH_FILES, is_tried=True
    )


def _exim(names: SnippetNames) -> PrimarySnippet:
    hosts = f"<; {' ; '.join(names.listed)}"
    return PrimarySnippet(
        PrimaryProgram.EXIM,
        (
            SnippetPart(
                "the configuration, at the beginning of acl_check_rcpt",
                f"  deny    hosts = {hosts}\n"
                "          sender_domains = +local_domains\n"
                "          message = own domain from outside\n\n"
                f"  accept  hosts = {hosts}\n"
                "          domains = +local_domains\n"
                "          verify = recipient",
            ),
        ),
        "Do not add the address to relay_from_hosts: this server could relay anywhere. Without the"
        " first rule, forgeries of your own domain come in through this server.",
        is_tried=True,
    )


def _exchange_online(names: SnippetNames) -> PrimarySnippet:
    addresses = ",".join(names.listed_4)
    return PrimarySnippet(
        PrimaryProgram.EXCHANGE_ONLINE,
        (
            SnippetPart(
                "PowerShell",
                'New-InboundConnector -Name "Backup MX" -ConnectorType Partner'
                f" -SenderDomains * -SenderIPAddresses {addresses} -RequireTls $true\n"
                f'Set-InboundConnector "Backup MX" -EFSkipIPs {addresses}',
            ),
        ),
        "Use Enhanced Filtering as here, and no rule that bypasses the spam filter: forgeries would"
        " be delivered. Name no address but those of this server.",
    )


def _exchange(names: SnippetNames) -> PrimarySnippet:
    addresses = ",".join(f'"{one}"' for one in names.listed)
    return PrimarySnippet(
        PrimaryProgram.EXCHANGE,
        (
            SnippetPart(
                "PowerShell",
                f"Set-TransportConfig -InternalSMTPServers @{{Add={addresses}}}",
            ),
        ),
        "It works with the anti-spam agents alone. Do not use an externally secured connector: all"
        " mail from this server would count as internal, and forgeries too.",
    )


def _stalwart(names: SnippetNames) -> PrimarySnippet:
    conditions = " || ".join(f"remote_ip == '{one}'" for one in names.listed)
    return PrimarySnippet(
        PrimaryProgram.STALWART,
        (
            SnippetPart(
                "the sender authentication settings spfEhloVerify, spfFromVerify, reverseIpVerify",
                f'{{"match": [{{"if": "{conditions}", "then": "disable"}}], "else": "relaxed"}}',
            ),
        ),
        "SPF is then not checked for mail from this server, and forgeries without DKIM may pass."
        " Keep DMARC strict, and refuse your own domain from outside.",
    )


def _mailcow(names: SnippetNames) -> PrimarySnippet:
    return PrimarySnippet(
        PrimaryProgram.MAILCOW,
        (
            SnippetPart(
                "Configuration, Options, Forwarding Hosts: add these, with the spam filter active",
                "\n".join(names.listed),
            ),
            *_relay_files(names, "data/conf/rspamd/local.d"),
        ),
        f"{_BOTH_FILES} Leave the spam filter of the forwarding host active: otherwise nothing from"
        " this server is checked.",
    )


def _docker_mailserver(names: SnippetNames) -> PrimarySnippet:
    return PrimarySnippet(
        PrimaryProgram.DOCKER_MAILSERVER,
        _relay_files(names, "docker-data/dms/config/rspamd/override.d"),
        f"{_BOTH_FILES} They need ENABLE_RSPAMD=1. Do not add the address to PERMIT_DOCKER or"
        " mynetworks: this server could relay anywhere.",
    )


def _opendmarc(names: SnippetNames) -> PrimarySnippet:
    return PrimarySnippet(
        PrimaryProgram.OPENDMARC,
        (
            SnippetPart("opendmarc.conf", "IgnoreHosts /etc/opendmarc/ignore.hosts"),
            SnippetPart("/etc/opendmarc/ignore.hosts", "\n".join(("127.0.0.1", *names.listed))),
        ),
        "DMARC is then not checked for mail from this server: keep the rule against your own domain"
        " from outside. Do not use TrustedAuthservIDs in its place: any client could write the"
        " results that it likes.",
        is_tried=True,
    )


_MAKERS: Final[Mapping[PrimaryProgram, Callable[[SnippetNames], PrimarySnippet]]] = {
    PrimaryProgram.POSTFIX: _postfix,
    PrimaryProgram.POSTFIX_PROXY: _postfix_proxy,
    PrimaryProgram.POSTFIX_XCLIENT: _postfix_xclient,
    PrimaryProgram.RSPAMD: _rspamd,
    PrimaryProgram.EXIM: _exim,
    PrimaryProgram.EXCHANGE_ONLINE: _exchange_online,
    PrimaryProgram.EXCHANGE: _exchange,
    PrimaryProgram.STALWART: _stalwart,
    PrimaryProgram.MAILCOW: _mailcow,
    PrimaryProgram.DOCKER_MAILSERVER: _docker_mailserver,
    PrimaryProgram.OPENDMARC: _opendmarc,
}
