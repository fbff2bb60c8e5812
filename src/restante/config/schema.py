"""The settings: their defaults, their types, and the text of the reference.

Settings of reception, delivery, reports, notices and history are defined in their packages and
collected here. Values are frozen: a reload makes a new Config.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from restante.acme.acme_settings import AcmeSettings
from restante.checks.hygiene_settings import HygieneSettings
from restante.config.control_path import DEFAULT_STATE_DIR
from restante.config.one_or_more import ONE_OR_MORE
from restante.config.setting_places import ConfigSource
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.presence_settings import PresenceSettings
from restante.mail.address import canonical_domain
from restante.mail.quantity import counted
from restante.network.addresses import join_host_port, split_host_port, unmapped
from restante.network.setting_error import setting_error
from restante.notices.notice_settings import NoticeSettings
from restante.reception.reception_settings import ReceptionSettings
from restante.release.release_settings import ReleaseSettings
from restante.reports.report_settings import ReportSettings
from restante.retention.history_settings import HistorySettings
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.object_access import ObjectAccess
from restante.store.store_url import StoreKind, StoreUrlUnusable, parse_store_url
from restante.telemetry.events.event import EventLevel
from restante.telemetry.metrics_settings import MetricsSettings
from restante.web.oidc_settings import OidcSettings
from restante.web.portal.portal_settings import PortalSettings
from restante.web.web_settings import WebSettings

DNS_PORT = 53
WEB = "web"
ACME = "acme"
CONTROL_NAME = "control.sock"
MOST_WORKERS = 32
ODMR_SERVICES = frozenset({"odmr", "odmrs"})  # of RFC 2645: they take no mail
IMPLICIT_TLS = frozenset({"smtps", "odmrs"})  # services that speak TLS from the first byte
DEFAULT_SYSLOG = Path("/dev/log")
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]


def _directory(info: ValidationInfo) -> Path:
    """Return the base of relative paths: the directory of the configuration file."""
    context: dict[str, Path] = info.context or {}
    return context.get("directory", Path.cwd())


def _resolve_path(path: Path, info: ValidationInfo) -> Path:
    return _directory(info) / path.expanduser()


def _check_domain(text: str) -> str:
    try:
        return canonical_domain(text)
    except ValueError:
        raise setting_error(
            "is not a domain name", 'write this server\'s full name, such as "mx2.example.net"'
        ) from None


def _check_listener(text: str) -> str:
    host, port = _endpoint(text, None, 'write ADDRESS:PORT, such as "0.0.0.0:25" or "[::]:25"')
    return join_host_port(host, port)


def _check_metrics_address(text: str) -> str:
    return (
        join_host_port(*_endpoint(text, None, 'write ADDRESS:PORT, such as "127.0.0.1:9325"'))
        if text
        else ""
    )


def _web_url(text: str) -> SplitResult | None:
    """Return the parts of a URL of HTTP; None if it is none."""
    try:
        url = urlsplit(text)
        is_fit = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # the host is no address, or the port no number
        return None
    return url if is_fit else None


def _check_collector(text: str) -> str:
    url = _web_url(text)
    if text and (url is None or url.query or url.fragment):
        raise setting_error("is no URL of a collector", 'write one such as "http://127.0.0.1:4318"')
    return text


def _check_nameserver(text: str) -> str:
    host, port = _endpoint(
        text, DNS_PORT, 'write ADDRESS or ADDRESS:PORT, such as "192.0.2.53" or "[2001:db8::53]:53"'
    )
    return join_host_port(host, port)


def _endpoint(text: str, default_port: int | None, remedy: str) -> tuple[str, int]:
    """Return address and port. An IPv4-mapped address is one of IPv4; a zone is kept."""
    try:
        host, port = split_host_port(text, default_port)
        return str(unmapped(ipaddress.ip_address(host))), port
    except ValueError as error:
        raise setting_error(str(error).replace(repr(text), "it"), remedy) from None


def _check_store(url: str, info: ValidationInfo) -> str:
    """Return `sqlite://` and an absolute path, or the URL of a database.

    `sqlite:data` is relative, `sqlite:///var/lib/x` is absolute. A URL that may have a password is
    not repeated in an error.
    """
    try:
        place = parse_store_url(url)
    except StoreUrlUnusable as error:
        may_have_password = "@" in url or "password" in url
        raise setting_error(error.cause, error.remedy, is_secret=may_have_password) from None
    if place.kind is StoreKind.MEMORY:
        raise setting_error(
            "would lose all mail when the server stops", 'write "sqlite:///DIRECTORY"'
        )
    if place.directory is None:
        return str(place)
    return str(replace(place, directory=_directory(info) / place.directory))


ConfigPath = Annotated[Path, AfterValidator(_resolve_path)]
ConfigPaths = Annotated[tuple[ConfigPath, ...], ONE_OR_MORE]
DomainName = Annotated[str, AfterValidator(_check_domain)]


class Section(BaseModel):
    """A table of the configuration. It is frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Listen(Section):
    """One `[[listen]]`: an address that accepts connections, and its protocol."""

    service: Literal["mx", "smtps", "odmr", "odmrs", "web", "acme"] = Field(
        description="`mx`: mail and ETRN, with TLS by STARTTLS. `smtps`: the same, with TLS from"
        " the first byte. `odmr`: ATRN and ETRN (RFC 2645, port 366), with TLS by STARTTLS."
        " `odmrs`: the same, with TLS from the first byte. `web`: the API and the portal over"
        " HTTP. `acme`: the answers to an authority (HTTP-01) for `[acme]`, at port 80.",
        examples=["mx"],
    )
    address: Annotated[str, AfterValidator(_check_listener)] = Field(
        description="Address and port. `0.0.0.0:25` means every IPv4 address of this machine,"
        " `[::]:25` every IPv6 address. Port 0: any free port.",
        examples=["0.0.0.0:25"],
    )
    tls_minimum: TlsVersion | None = Field(
        default=None,
        description="Oldest TLS version on this listener. Unset: `minimum` of `[tls]`.",
    )
    tls: bool = Field(
        default=False,
        description="Only for `web`: HTTPS with the certificates of `[tls]`. Without it, the"
        " address must be loopback, or `[web]` must name the proxies in front.",
    )
    client_certificates: bool | None = Field(
        default=None,
        description="Only for `odmr` and `odmrs`: ask each client for a certificate, which can"
        " prove its login. A client that shows one that no login has fails in the handshake, even"
        " if it has a password. Unset: true.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _only_odmr_asks(self) -> Self:
        if self.client_certificates is not None and self.service not in ODMR_SERVICES:
            cause = f"client_certificates is no setting of {self.service}"
            raise setting_error(
                cause, "remove it: only odmr and odmrs listeners ask for certificates"
            )
        return self

    @model_validator(mode="after")
    def _only_web_has_a_choice(self) -> Self:
        if self.tls and self.service != WEB:
            has = "no TLS" if self.service == ACME else "TLS always"
            raise setting_error(
                f"tls is not a setting of {self.service}, which has {has}", "remove tls"
            )
        return self

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.service in ODMR_SERVICES and self.client_certificates is not False

    @property
    def is_http(self) -> bool:
        """Whether it serves HTTP, and no mail."""
        return self.service in {WEB, ACME}

    @property
    def has_tls(self) -> bool:
        """Whether it uses the server's certificates."""
        return not self.is_http or self.tls

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return ipaddress.ip_address(self.endpoint[0].partition("%")[0]).is_loopback

    @property
    def endpoint(self) -> tuple[str, int]:
        """Address and port to bind."""
        return split_host_port(self.address)


class CertificateFiles(Section):
    """The files of certificates for the same hosts, and of their keys."""

    certificate: ConfigPaths = Field(
        min_length=1,
        description="PEM file with the certificate and its chain of intermediate certificates. A"
        " list names one file for each type of key, such as ECDSA and RSA. Each client gets one"
        " that it supports.",
        examples=["tls/cert.pem"],
    )
    key: ConfigPaths = Field(
        min_length=1,
        description="PEM file with the certificate's key, without a passphrase. For a list of"
        " certificates, a list of their keys in the same order.",
        examples=["tls/key.pem"],
    )

    @field_validator("key")
    @classmethod
    def _keys_pair_with_certificates(
        cls, key: tuple[Path, ...], info: ValidationInfo
    ) -> tuple[Path, ...]:
        certificates = info.data.get("certificate", key)  # missing if it is invalid itself
        if len(key) != len(certificates):
            cause = (
                f"names {counted(len(key), 'file')} for {counted(len(certificates), 'certificate')}"
            )
            raise setting_error(cause, "name one key for each certificate, in the same order")
        return key

    @property
    def pairs(self) -> tuple[tuple[Path, Path], ...]:
        """The certificates, each with its key."""
        return tuple(zip(self.certificate, self.key, strict=True))


class NamedCertificate(CertificateFiles):
    """One `[[tls.names]]`: certificates for clients that ask for one of their hosts (SNI)."""


class TlsSettings(CertificateFiles):
    """`[tls]`: the server's certificates and TLS versions."""

    minimum: TlsVersion = Field(
        default="1.2",
        description="Oldest TLS version accepted. `1.0` and `1.1` are for old primaries without TLS"
        " 1.2.",
    )
    names: tuple[NamedCertificate, ...] = Field(
        default=(),
        description="Certificates for other names of this server, such as `mx.customer.example`.",
    )

    @property
    def groups(self) -> tuple[CertificateFiles, ...]:
        """The default certificates, then those by name."""
        return (self, *self.names)

    @property
    def all_pairs(self) -> tuple[tuple[Path, Path], ...]:
        """All certificates, each with its key."""
        return tuple(pair for group in self.groups for pair in group.pairs)


class LogSettings(Section):
    """`[log]`: the format and the place of the log."""

    style: Literal["text", "json"] = Field(
        default="text", description="`text` for people, `json` for programs."
    )
    level: EventLevel = Field(
        default="info",
        description="Least level of the lines that are written: `info`, `warning` or `error`. The"
        " reference of events has the level of each. Metrics and notices do not depend on it.",
    )
    to: Literal["stderr", "file", "syslog"] = Field(
        default="stderr",
        description="Place of the log. `stderr`: standard error, which systemd keeps in its journal"
        " and containers pass on. `file`: the file of `file`. `syslog`: the syslog server of this"
        " machine (RFC 5424).",
    )
    file: ConfigPath | None = Field(
        default=None,
        description='File for `to = "file"`, on a local disk. A new one is made when it was moved'
        " away, and at a reload. The server makes no directory, and must be allowed to write there"
        " as `user`.",
        examples=["/var/log/restante/restante.log"],
    )
    syslog_socket: ConfigPath = Field(
        default=DEFAULT_SYSLOG,
        description='Local socket of the syslog server for `to = "syslog"`. It takes datagrams.',
    )

    @model_validator(mode="after")
    def _is_of_one_place(self) -> Self:
        if self.to == "file" and self.file is None:
            remedy = 'add file = "/var/log/restante/restante.log", or remove to'
            raise setting_error('to = "file" needs a file', remedy)
        if self.to != "file" and self.file is not None:
            raise setting_error(f'file has no use with to = "{self.to}"', 'write to = "file"')
        if self.to != "syslog" and self.syslog_socket != DEFAULT_SYSLOG:
            cause = f'syslog_socket has no use with to = "{self.to}"'
            raise setting_error(cause, 'write to = "syslog", or remove syslog_socket')
        return self

    @property
    def place(self) -> str:
        """The place, for people."""
        if self.file is not None:
            return str(self.file)
        return f"syslog at {self.syslog_socket}" if self.to == "syslog" else "standard error"


class TelemetrySettings(Section):
    """`[telemetry]`: metrics for monitoring programs."""

    metrics: Annotated[str, AfterValidator(_check_metrics_address)] = Field(
        default="",
        description="Address and port of a plain HTTP listener that serves the metrics at"
        " `/metrics`. It has no access control, so use loopback or a private network. Empty:"
        " metrics on the control socket only.",
        examples=["127.0.0.1:9325"],
    )

    otlp: Annotated[str, AfterValidator(_check_collector)] = Field(
        default="",
        description="URL of a collector that gets traces of releases, drains and connections by"
        " OTLP over HTTP. Needs `restante[otel]`. Empty: no traces.",
        examples=["http://127.0.0.1:4318"],
    )

    @property
    def metrics_endpoint(self) -> tuple[str, int] | None:
        """Address and port to bind, or None for no listener."""
        return split_host_port(self.metrics) if self.metrics else None


class ResolverSettings(Section):
    """`[resolver]`: name servers for destinations and authorized hosts."""

    nameservers: tuple[Annotated[str, AfterValidator(_check_nameserver)], ...] = Field(
        default=(),
        description="Name servers, as ADDRESS or ADDRESS:PORT. Empty: the name servers of the"
        " system.",
    )
    trusted: bool = Field(
        default=False,
        description="Whether the name servers validate DNSSEC, and nobody can change their answers"
        " on the way. Name servers on loopback are trusted anyway. DANE needs this.",
    )

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Address and port of each name server."""
        return tuple(split_host_port(text) for text in self.nameservers)


def _beside_the_store(values: dict[str, Any]) -> Path:
    directory = parse_store_url(str(values["store"])).directory
    return (directory or values["state_dir"] or DEFAULT_STATE_DIR) / CONTROL_NAME


def _check_bucket(text: str) -> str:
    try:
        url = urlsplit(text)
    except ValueError:  # the host is no address
        url = urlsplit("")
    if text and (
        url.scheme != "s3"
        or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", url.netloc)
        or not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9._-]+)*/?", url.path)
        or url.query
        or url.fragment
    ):
        raise setting_error("is no bucket", 'write "s3://BUCKET" or "s3://BUCKET/PREFIX"')
    return text.rstrip("/")


def _check_object_endpoint(text: str) -> str:
    url = _web_url(text)
    if not text:
        return text
    if url is None or url.path.strip("/") or url.query or url.fragment or url.username:
        remedy = 'write the URL of the object store alone, such as "https://s3.example.net"'
        raise setting_error("is no endpoint", remedy)
    if url.scheme == "http" and url.hostname not in _LOOPBACK_HOSTS:
        cause = "would let others read mail: http is for loopback only"
        raise setting_error(
            cause, "write https, and name a private authority as ca_file of [objects]"
        )
    return text.rstrip("/")


class ObjectSettings(Section):
    """Where content of 1 MiB or more is kept, beside a store on PostgreSQL."""

    url: Annotated[str, AfterValidator(_check_bucket)] = Field(
        default="",
        description="Bucket and prefix for content of 1 MiB or more: `s3://BUCKET/PREFIX`. Nothing"
        " else may use that prefix. Empty: all content is in the database. Needs"
        " `restante[objects]`, and a store on PostgreSQL.",
        examples=["s3://restante-mail/held"],
    )
    endpoint: Annotated[str, AfterValidator(_check_object_endpoint)] = Field(
        default="",
        description="URL of the object store. Empty: that of Amazon S3 for `region`.",
        examples=["https://s3.example.net"],
    )
    region: str = Field(
        default="us-east-1",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Region of the bucket. Many other object stores ignore it.",
    )
    access_key_id: str = Field(
        default="",
        description="Access key, whose secret is in `secret_key_file`. Empty: the environment"
        " (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`), or the role of the machine.",
        examples=["AKIAIOSFODNN7EXAMPLE"],
    )
    secret_key_file: ConfigPath | None = Field(
        default=None,
        description="File with the secret of `access_key_id`, read at the start.",
        examples=["objects.secret"],
    )
    ca_file: ConfigPath | None = Field(
        default=None,
        description="PEM file with a private authority that may sign the certificate of `endpoint`,"
        " beside those of the system.",
        examples=["objects-ca.pem"],
    )
    orphan_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 365,
        description="Hours for which an object is kept that belongs to no message, from when it was"
        " first seen without one.",
    )

    @property
    def hours_of_grace(self) -> int | None:
        """The hours for orphans; None without an object store."""
        return self.orphan_hours if self.url else None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        fields = type(self).model_fields
        others = {name for name in fields if getattr(self, name) != fields[name].default}
        if others and not self.url:
            raise setting_error("needs `url`", f"add url, or remove {', '.join(sorted(others))}")
        if bool(self.access_key_id) != (self.secret_key_file is not None):
            remedy = "set both access_key_id and secret_key_file, or none for the environment"
            raise setting_error("has half of a key", remedy)
        return self


def _is_without_database(info: ValidationInfo) -> bool:
    store: str = info.data.get("store", "")  # missing if it is invalid itself
    return bool(store) and parse_store_url(store).kind is not StoreKind.POSTGRESQL


class Config(Section):
    """The whole configuration of a server."""

    hostname: DomainName = Field(
        description="This server's own full name, used in the greeting, in EHLO and in Received. It"
        " should resolve to this machine's address, and that address back to the name. Otherwise a"
        " primary may refuse mail from this server.",
        examples=["mx2.example.net"],
    )
    store: Annotated[str, AfterValidator(_check_store)] = Field(
        default="sqlite:///var/lib/restante",
        description="Location of mail and records: `sqlite:///DIRECTORY`, or for a store that"
        " several servers share, `postgresql://USER@HOST/DATABASE`. `sqlite:NAME` is relative to"
        " this file's directory. The URL of a database has the form of libpq, and no password. It"
        " can name several hosts, as `HOST,HOST:PORT`: the one is used that takes changes. Needs"
        " `restante[postgres]`.",
    )
    store_password_file: ConfigPath | None = Field(
        default=None,
        description="File with the password for the database of `store`, read at each new"
        " connection. Unset: the means of PostgreSQL's own programs, such as `PGPASSFILE`"
        " and certificates. Only for PostgreSQL.",
        examples=["database.password"],
    )
    rpo: RecoveryPoint = Field(
        default=RecoveryPoint.ZERO,
        description="Acceptable loss of mail, if the machine of the database is lost. `zero`: none,"
        " so the database must confirm a commit only after a standby has it. `accept-loss`: the"
        " last commits. Only for PostgreSQL.",
    )
    pooled: bool = Field(
        default=False,
        description="Whether the database is reached through a pooler in transaction mode, such as"
        " PgBouncer. Then plain SQL is used: without prepared statements, notifications, settings"
        " of the session and SKIP LOCKED. Only for PostgreSQL.",
    )
    state_dir: ConfigPath | None = Field(
        default=None,
        description="Directory of this server's control socket. It never has acknowledged mail."
        f" Unset: `{DEFAULT_STATE_DIR}`. Only for PostgreSQL.",
        examples=["/var/lib/restante"],
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=MOST_WORKERS,
        description="Processes that serve the same addresses on this machine, each a node of the"
        " store. About one for each processor is useful. Only for PostgreSQL.",
    )
    key_file: ConfigPath = Field(
        default=Path("restante.key"),
        description="File with the 32 octets that encrypt stored secrets; mode 0600, or 0640 if"
        " root owns it. Keep a copy of it apart from copies of the store.",
    )
    seal_content: bool = Field(
        default=False,
        description="Whether the content of new mail is encrypted in the store, under keys that"
        " `key_file` opens. Without a copy of that file, a lost one is lost mail. Mail that is held"
        " already stays as it is, also after a change back. `restante init` sets it.",
    )
    control_socket: ConfigPath = Field(
        default_factory=_beside_the_store,
        description="Unix socket on which the running server accepts the commands of `restante`."
        " Unset: `control.sock` in the store's directory, or in `state_dir`.",
    )
    user: str = Field(
        default="",
        description="User to become after binding the ports, if started as root. Empty: no change"
        " of user.",
    )
    uvloop: bool = Field(
        default=True, description="Use uvloop, a faster event loop than the one of asyncio."
    )
    listen: tuple[Listen, ...] = Field(
        min_length=1, description="Addresses that accept connections."
    )
    tls: TlsSettings = Field(description="Certificates and TLS versions.")
    acme: AcmeSettings = Field(
        default=AcmeSettings(), description="Certificates from an authority, by ACME."
    )
    objects: ObjectSettings = Field(
        default=ObjectSettings(),
        description="An object store for large content. Only for PostgreSQL.",
    )
    log: LogSettings = Field(
        default=LogSettings(), description="The format and the place of the log."
    )
    telemetry: TelemetrySettings = Field(
        default=TelemetrySettings(), description="Metrics for monitoring programs."
    )
    metrics: MetricsSettings = Field(
        default=MetricsSettings(), description="The metrics of single domains."
    )
    resolver: ResolverSettings = Field(default=ResolverSettings(), description="Name servers.")
    reception: ReceptionSettings = Field(default=ReceptionSettings(), description="Accepting mail.")
    delivery: DeliverySettings = Field(
        default=DeliverySettings(), description="Handing mail over to destinations."
    )
    release: ReleaseSettings = Field(
        default=ReleaseSettings(), description="Releases that clients ask for."
    )
    presence: PresenceSettings = Field(
        default=PresenceSettings(),
        description="Probes of every domain's destination, and their results.",
    )
    hygiene: HygieneSettings = Field(
        default=HygieneSettings(), description="Signs of mail that nobody wants."
    )
    reports: ReportSettings = Field(
        default=ReportSettings(), description="Delivery reports to senders."
    )

    notices: NoticeSettings = Field(
        default=NoticeSettings(), description="Notices to operators and customers."
    )

    history: HistorySettings = Field(
        default=HistorySettings(), description="The history of mail that left."
    )

    web: WebSettings = Field(default=WebSettings(), description="The `web` listeners.")

    oidc: OidcSettings = Field(
        default=OidcSettings(), description="A provider of OpenID Connect for users of the portal."
    )

    portal: PortalSettings = Field(
        default=PortalSettings(), description="Name, color and logo of the portal."
    )

    _source: ConfigSource = PrivateAttr(default_factory=ConfigSource)

    @field_validator("store_password_file", "rpo", "pooled", "state_dir")
    @classmethod
    def _is_of_a_database(cls, value: Any, info: ValidationInfo) -> Any:
        is_given = value not in (None, RecoveryPoint.ZERO, False)
        if is_given and _is_without_database(info):
            raise setting_error("is a setting for a store on PostgreSQL only", "remove it")
        return value

    @field_validator("objects")
    @classmethod
    def _objects_are_beside_a_database(
        cls, objects: ObjectSettings, info: ValidationInfo
    ) -> ObjectSettings:
        if objects.url and _is_without_database(info):
            cause = (
                "is for a store on PostgreSQL only: one on SQLite keeps content in its directory"
            )
            raise setting_error(cause, "remove it")
        return objects

    @field_validator("acme")
    @classmethod
    def _acme_is_for_one_server(cls, acme: AcmeSettings, info: ValidationInfo) -> AcmeSettings:
        if acme.directory and not _is_without_database(info) and info.data.get("store"):
            cause = "is for a store on SQLite only: of several servers, each could be asked"
            remedy = "remove it, and renew the certificates by another program"
            raise setting_error(cause, remedy)
        return acme

    @field_validator("workers")
    @classmethod
    def _share_a_database(cls, workers: int, info: ValidationInfo) -> int:
        if workers > 1 and _is_without_database(info):
            cause = "needs a store on PostgreSQL: one process alone can have a store on SQLite"
            raise setting_error(cause, "write 1, or set store to the URL of a database")
        return workers

    @field_validator("listen")
    @classmethod
    def _listeners_do_not_meet(cls, listen: tuple[Listen, ...]) -> tuple[Listen, ...]:
        for place, later in enumerate(listen):
            if other := next(
                (one for one in listen[:place] if _meet(one.endpoint, later.endpoint)), None
            ):
                cause = (
                    f"two listeners overlap at {later.address} ({other.service} on {other.address})"
                )
                raise setting_error(cause, "give one of them another port, or remove it")
        return listen

    @field_validator("log")
    @classmethod
    def _log_has_a_file_of_its_own(cls, log: LogSettings, info: ValidationInfo) -> LogSettings:
        """Refuse a file that lines of the log would spoil."""
        if log.file is not None and _is_in_use(log.file, info.data):
            remedy = "name another one, such as /var/log/restante/restante.log"
            raise setting_error("file is one that the server needs, or is in the store", remedy)
        return log

    @property
    def source(self) -> ConfigSource:
        """The source of this configuration, for messages that name file and line."""
        return self._source

    @property
    def file(self) -> Path | None:
        """The file of this configuration, for a reload."""
        return self._source.file

    @property
    def store_directory(self) -> Path | None:
        """The directory of the embedded store; None where the store is a database."""
        return parse_store_url(self.store).directory

    @property
    def local_directory(self) -> Path:
        """The directory where this server keeps files: that of the store, or `state_dir`."""
        return self.store_directory or self.state_dir or DEFAULT_STATE_DIR

    @property
    def acme_directory(self) -> Path:
        """The directory of keys and certificates by ACME."""
        return self.local_directory / "acme"

    def worker_directory(self, number: int) -> Path:
        """Return where a worker keeps its own files; `number` is from 1."""
        return self.local_directory / str(number)

    @property
    def database_access(self) -> DatabaseAccess:
        """How the database of the store is opened."""
        return DatabaseAccess(
            self.store_password_file,
            self.rpo,
            is_plain=self.pooled,
            objects=self._object_access,
        )

    @property
    def _object_access(self) -> ObjectAccess | None:
        objects = self.objects
        if not objects.url:
            return None
        return ObjectAccess(
            objects.url,
            objects.endpoint,
            objects.region,
            objects.access_key_id,
            objects.secret_key_file,
            objects.ca_file,
            self.local_directory,
        )


def _is_in_use(file: Path, settings: Mapping[str, Any]) -> bool:
    """Return whether a file is a key, a certificate or a password, or among those of the store."""
    files = {settings.get("key_file"), settings.get("store_password_file")}
    if tls := settings.get("tls"):
        files.update(chain.from_iterable(tls.all_pairs))
    store = parse_store_url(settings["store"]).directory if "store" in settings else None
    if store is None:
        return file in files
    return file in files or file.parent == store or file.is_relative_to(store / "content")


def _meet(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Return whether the second of two binds would fail. An IPv6 wildcard binds no IPv4 here."""
    if one[1] != other[1] or one[1] == 0:
        return False
    addresses = (ipaddress.ip_address(one[0]), ipaddress.ip_address(other[0]))
    if addresses[0].version != addresses[1].version:
        return False
    return addresses[0] == addresses[1] or any(address.is_unspecified for address in addresses)
