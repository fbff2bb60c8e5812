"""The settings: their defaults, their types, and the text of the reference.

Settings of a subject are defined beside it and collected here. Values are frozen: a reload makes a
new Config.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from restante.acme.acme_settings import AcmeSettings
from restante.checks.hygiene_settings import HygieneSettings
from restante.config.control_path import DEFAULT_STATE_DIR
from restante.config.listen_settings import Listen, meet
from restante.config.log_settings import LogSettings
from restante.config.section import Section
from restante.config.setting_endpoint import checked_endpoint
from restante.config.setting_places import ConfigSource
from restante.config.tls_settings import TlsSettings
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.presence_settings import PresenceSettings
from restante.mail.address import canonical_domain
from restante.network.addresses import join_host_port, split_host_port
from restante.network.setting_error import setting_error
from restante.network.setting_paths import ConfigPath, configuration_directory
from restante.network.web_url import web_url
from restante.notices.notice_settings import NoticeSettings
from restante.reception.reception_settings import ReceptionSettings
from restante.release.release_settings import ReleaseSettings
from restante.reports.report_settings import ReportSettings
from restante.retention.history_settings import HistorySettings
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.object_access import ObjectAccess
from restante.store.object_settings import ObjectSettings
from restante.store.store_url import StoreKind, StoreUrlUnusable, parse_store_url
from restante.telemetry.metrics_settings import MetricsSettings
from restante.web.oidc_settings import OidcSettings
from restante.web.portal.portal_settings import PortalSettings
from restante.web.web_settings import WebSettings

DNS_PORT = 53
CONTROL_NAME = "control.sock"
MOST_WORKERS = 32


def _check_domain(text: str) -> str:
    try:
        return canonical_domain(text)
    except ValueError:
        raise setting_error(
            "is not a domain name", 'write this server\'s full name, such as "mx2.example.net"'
        ) from None


def _check_metrics_address(text: str) -> str:
    return (
        join_host_port(
            *checked_endpoint(text, None, 'write ADDRESS:PORT, such as "127.0.0.1:9325"')
        )
        if text
        else ""
    )


def _check_collector(text: str) -> str:
    url = web_url(text)
    if text and (url is None or url.query or url.fragment):
        raise setting_error("is no URL of a collector", 'write one such as "http://127.0.0.1:4318"')
    return text


def _check_nameserver(text: str) -> str:
    host, port = checked_endpoint(
        text, DNS_PORT, 'write ADDRESS or ADDRESS:PORT, such as "192.0.2.53" or "[2001:db8::53]:53"'
    )
    return join_host_port(host, port)


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
    return str(replace(place, directory=configuration_directory(info) / place.directory))


DomainName = Annotated[str, AfterValidator(_check_domain)]


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
                (one for one in listen[:place] if meet(one.endpoint, later.endpoint)), None
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
    """Return whether a file is a key, a certificate or a password, or among those of the store.

    Links are followed, and a second name of such a file is one too.
    """
    secrets = (settings.get("key_file"), settings.get("store_password_file"))
    files: set[Path] = {secret for secret in secrets if secret is not None}
    if tls := settings.get("tls"):
        files.update(chain.from_iterable(tls.all_pairs))
    store = parse_store_url(settings["store"]).directory if "store" in settings else None
    file = Path(os.path.realpath(file))
    if store is not None:
        store = Path(os.path.realpath(store))
        if file.parent == store or file.is_relative_to(store / "content"):
            return True
        with suppress(OSError):  # it is not there yet, or is another user's
            files.update(store.iterdir())
    return any(_is_same(file, one) for one in files)


def _is_same(file: Path, other: Path) -> bool:
    try:
        return file.samefile(other)
    except OSError:  # one of them is not there
        return file == other
