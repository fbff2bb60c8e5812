"""Check the files, the directories and the user that the configuration names. Report all errors.

The schema checks the text alone. This module looks at the disk, at start, at a reload and for
`restante config check`.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shlex import quote

from restante.config.certificate import (
    UnfitCertificate,
    host_names,
    key_type,
    public_key_of,
    read_certificate,
    read_public_key,
)
from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.config_warnings import config_warnings
from restante.config.key_file import KeyUnusable, read_key
from restante.config.listen_settings import ACME, WEB
from restante.config.schema import CONTROL_NAME, Config
from restante.config.server_user import later_user, named_user
from restante.config.setting_places import SettingLocation, key_name
from restante.config.tls_settings import CertificateFiles
from restante.mail.address import canonical_domain, split_mailbox
from restante.network.tls_context import verifying_client_context
from restante.phrases import (
    INSTALL_DATABASE_DRIVER,
    INSTALL_OBJECT_DRIVER,
    NO_DATABASE_DRIVER,
    NO_OBJECT_DRIVER,
    NO_STORE,
    NO_USER,
)
from restante.store.database_driver import database_driver_is_installed
from restante.store.object_driver import object_driver_is_installed
from restante.telemetry.trace_export import is_installed

SOCKET_PATH_LIMIT = 107  # octets that the system takes for the path of a Unix socket
LAST_PORT = 65535
_NO_DIRECTORY = "its directory is not there"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_config(config: Config, now: float) -> list[str]:
    """Return warnings, one line each. Raises ConfigError with every error."""
    problems = [
        *_tls_problems(config),
        *_key_problems(config),
        *_user_problems(config),
        *_directory_problems(config),
        *_database_problems(config),
        *_object_problems(config),
        *_socket_problems(config),
        *_worker_problems(config),
        *_postmaster_problems(config),
        *_web_problems(config),
        *_provider_problems(config),
        *_filter_problems(config),
        *_traces_problems(config),
        *_acme_problems(config),
    ]
    if problems:
        raise ConfigError(problems)
    return list(config_warnings(config, now))


def _problem(
    config: Config, location: SettingLocation, cause: str, remedy: str, value: object = None
) -> ConfigProblem:
    return ConfigProblem(config.source.where(location), key_name(location), cause, remedy, value)


def check_tls(config: Config) -> None:
    """Raise ConfigError where certificates and keys cannot be served."""
    if problems := list(_tls_problems(config)):
        raise ConfigError(problems)


def _tls_problems(config: Config) -> Iterator[ConfigProblem]:
    yield from _pair_problems(config, ("tls",), config.tls)
    for number, group in enumerate(config.tls.names):
        yield from _pair_problems(config, ("tls", "names", number), group)
    yield from _name_problems(config)


def _pair_problems(
    config: Config, table: SettingLocation, group: CertificateFiles
) -> Iterator[ConfigProblem]:
    """Check the certificates of one table, and their keys."""
    certificates: dict[str, Path] = {}  # by type of key
    for certificate_file, key_file in group.pairs:
        certificate = public_key = None
        try:
            certificate = read_certificate(certificate_file.read_bytes())
        except (OSError, UnfitCertificate) as error:
            yield _file_problem(config, (*table, "certificate"), certificate_file, error)
        try:
            public_key = read_public_key(key_file.read_bytes())
        except (OSError, UnfitCertificate) as error:
            yield _file_problem(config, (*table, "key"), key_file, error)
        if certificate is None:
            continue
        if public_key and public_key != public_key_of(certificate):
            remedy = "give the key that the certificate was made for"
            yield _problem(
                config, (*table, "key"), f"is not the key of {certificate_file}", remedy, key_file
            )
        if other := certificates.get(kind := key_type(certificate)):
            cause = (
                f"has a key of the same type as {other}, {kind}, and only one of them can be served"
            )
            yield _problem(
                config, (*table, "certificate"), cause, "remove one, and its key", certificate_file
            )
        certificates[kind] = certificate_file


def _name_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check that each name of `[[tls.names]]` leads to one table. Unreadable files are passed over.

    Names of the default certificate may be among them: a client that asks gets the one by name.
    """
    known: dict[str, Path] = {}
    for number, group in enumerate(config.tls.names):
        place: SettingLocation = ("tls", "names", number, "certificate")
        first: set[str] = set()
        for file in group.certificate:
            try:
                hosts = set(host_names(read_certificate(file.read_bytes())))
            except (OSError, UnfitCertificate):
                continue
            first = first or hosts
            if not hosts:
                remedy = "get one with names of hosts (subjectAltName), or remove this table"
                yield _problem(config, place, "is for no host", remedy, file)
            elif hosts != first:
                cause = f"is for other hosts than {group.certificate[0]}"
                remedy = "give it a [[tls.names]] of its own"
                yield _problem(config, place, cause, remedy, file)
            elif taken := sorted(hosts & known.keys()):
                cause = f"is for {taken[0]}, and so is {known[taken[0]]}"
                remedy = "name one certificate for each host"
                yield _problem(config, place, cause, remedy, file)
        known |= dict.fromkeys(first, group.certificate[0])


def _file_problem(
    config: Config, location: SettingLocation, file: Path, error: OSError | UnfitCertificate
) -> ConfigProblem:
    if isinstance(error, UnfitCertificate):
        return _problem(config, location, error.cause, error.remedy, file)
    remedy = "name the right file, and let the user who starts restante read it"
    return _problem(config, location, f"cannot be read: {error.strerror}", remedy, file)


def _key_problems(config: Config) -> Iterator[ConfigProblem]:
    try:
        read_key(config.key_file)
    except KeyUnusable as error:
        yield _problem(config, ("key_file",), error.cause, error.remedy, config.key_file)


def _user_problems(config: Config) -> Iterator[ConfigProblem]:
    if config.user and named_user(config) is None:
        remedy = f"make it (useradd --system {config.user}), or name another"
        yield _problem(config, ("user",), NO_USER, remedy, config.user)


def _directory_problems(config: Config) -> Iterator[ConfigProblem]:
    directory, is_embedded = config.local_directory, config.store_directory is not None
    place: SettingLocation = ("store",) if is_embedded else ("state_dir",)
    value = config.store if is_embedded else directory
    if not directory.is_dir():
        owner = f" -o {config.user}" if config.user else ""
        remedy = f"make it: install -d -m 0700{owner} {quote(str(directory))}"
        yield _problem(config, place, NO_STORE if is_embedded else _NO_DIRECTORY, remedy, value)
    elif not _may_write(config, directory):
        owner = config.user or pwd.getpwuid(os.geteuid()).pw_name
        remedy = f"let the server own all of it: chown -R {owner} {quote(str(directory))}"
        yield _problem(config, place, "the server may not write to its directory", remedy, value)


def _database_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check what a store on PostgreSQL needs on this machine. The database is not asked."""
    if config.store_directory is None and not database_driver_is_installed():
        yield _problem(config, ("store",), NO_DATABASE_DRIVER, INSTALL_DATABASE_DRIVER)
    if config.store_password_file is not None:
        yield from _secret_problems(config, ("store_password_file",), config.store_password_file)


def _object_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check what an object store needs on this machine. It is not asked."""
    objects = config.objects
    if objects.url and not object_driver_is_installed():
        yield _problem(config, ("objects", "url"), NO_OBJECT_DRIVER, INSTALL_OBJECT_DRIVER)
    if objects.secret_key_file is not None:
        place = ("objects", "secret_key_file")
        yield from _secret_problems(config, place, objects.secret_key_file)
    if objects.ca_file is not None:
        place = ("objects", "ca_file")
        yield from _authority_problems(config, place, objects.ca_file, "object store")


def _may_write(config: Config, directory: Path) -> bool:
    """Return whether the server's later user may write to the directory and the files in it."""
    account = later_user(config)
    if account is None:
        return os.access(directory, os.R_OK | os.W_OK | os.X_OK)
    return all(path.stat().st_uid == account.pw_uid for path in (directory, *directory.iterdir()))


def _socket_problems(config: Config) -> Iterator[ConfigProblem]:
    cause = f"is longer than the {SOCKET_PATH_LIMIT} octets a Unix socket's path may have"
    if len(os.fsencode(config.control_socket)) > SOCKET_PATH_LIMIT:
        yield _problem(
            config, ("control_socket",), cause, "name a shorter one", config.control_socket
        )
    own = config.worker_directory(config.workers) / CONTROL_NAME
    if config.workers > 1 and len(os.fsencode(own)) > SOCKET_PATH_LIMIT:
        yield _problem(config, ("state_dir",), f"{own} {cause}", "name a shorter one")


def _worker_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check that each worker has a port for its metrics."""
    if config.workers == 1 or config.telemetry.metrics_endpoint is None:
        return
    _, first = config.telemetry.metrics_endpoint
    if first == 0:
        return
    ports = range(first, first + config.workers)
    taken = [each.address for each in config.listen if each.endpoint[1] in ports]
    if ports[-1] > LAST_PORT or taken:
        meets = f"meet the listener {taken[0]}" if taken else f"end beyond port {LAST_PORT}"
        cause = (
            f"each of {config.workers} workers has a port of its own from there, and they {meets}"
        )
        yield _problem(
            config, ("telemetry", "metrics"), cause, "name another port", config.telemetry.metrics
        )


def _postmaster_problems(config: Config) -> Iterator[ConfigProblem]:
    text = config.reception.postmaster
    if text and not _is_mailbox(text):
        remedy = 'write one in a hosted domain, such as "postmaster@example.org", or remove it'
        yield _problem(config, ("reception", "postmaster"), "is not a mailbox", remedy, text)


def _web_problems(config: Config) -> Iterator[ConfigProblem]:
    """Refuse to let tokens cross a network in clear text."""
    if config.web.trusted_proxies:
        return
    for place, listen in enumerate(config.listen):
        if listen.service == WEB and not listen.tls and not listen.is_loopback:
            cause = "would let others read tokens: a web listener without TLS must be on loopback"
            remedy = (
                "set tls = true in this [[listen]], name the proxies in front of it as"
                " trusted_proxies of [web], or use 127.0.0.1"
            )
            yield _problem(config, ("listen", place, "address"), cause, remedy, listen.address)


def _provider_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check the files of a provider of OpenID Connect, which are read at each sign-in."""
    secret, authorities = config.oidc.client_secret_file, config.oidc.ca_file
    if secret:
        yield from _secret_problems(config, ("oidc", "client_secret_file"), Path(secret))
    if authorities:
        yield from _authority_problems(config, ("oidc", "ca_file"), authorities, "provider")


def _filter_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check the files for content filters. The filters are not asked."""
    password, authorities = config.hygiene.rspamd.password_file, config.hygiene.rspamd.ca_file
    if password:
        place = ("hygiene", "rspamd", "password_file")
        yield from _secret_problems(config, place, Path(password))
    if authorities:
        place = ("hygiene", "rspamd", "ca_file")
        yield from _authority_problems(config, place, authorities, "filter")


def _authority_problems(
    config: Config, place: SettingLocation, file: str | Path, server: str
) -> Iterator[ConfigProblem]:
    """`server` is the one whose certificate they sign."""
    try:
        verifying_client_context(str(file))
    except OSError as error:  # ssl.SSLError among them
        cause = f"has no CA certificates that can be read: {error.strerror or error}"
        remedy = f"name a PEM file with the authorities that sign the {server}'s certificate"
        yield _problem(config, place, cause, remedy, file)


def _secret_problems(config: Config, place: SettingLocation, file: Path) -> Iterator[ConfigProblem]:
    try:
        with file.open("rb") as stream:
            mode, is_empty = os.fstat(stream.fileno()).st_mode, not stream.read(1)
    except OSError as error:
        remedy = "name the file with the secret, and let the server's user read it"
        yield _problem(config, place, f"cannot be read: {error.strerror}", remedy, file)
        return
    if mode & _OTHERS & ~stat.S_IRGRP:  # a group may share it, such as that of the server's user
        cause = f"others may read it (mode {stat.S_IMODE(mode):04o})"
        yield _problem(config, place, cause, f"chmod 640 {quote(str(file))}", file)
    if is_empty:
        yield _problem(config, place, "is empty", "write the secret into it", file)


def _acme_problems(config: Config) -> Iterator[ConfigProblem]:
    """Check that an authority reaches us, and that each name has one certificate."""
    acme = config.acme
    if acme.names and not any(listen.service == ACME for listen in config.listen):
        remedy = 'add a [[listen]] with service = "acme" and address = "0.0.0.0:80"'
        yield _problem(config, ("acme", "names"), "need a listener that answers", remedy)
    for number, group in enumerate(config.tls.names):
        with suppress(OSError, UnfitCertificate):
            hosts = host_names(read_certificate(group.certificate[0].read_bytes()))
            if taken := sorted(set(hosts) & set(acme.names)):
                place: SettingLocation = ("tls", "names", number, "certificate")
                cause = f"is for {taken[0]}, which is among the names of [acme] too"
                remedy = "remove one of them"
                yield _problem(config, place, cause, remedy, group.certificate[0])
    if acme.ca_file:
        yield from _authority_problems(config, ("acme", "ca_file"), acme.ca_file, "directory")


def _traces_problems(config: Config) -> Iterator[ConfigProblem]:
    if config.telemetry.otlp and not is_installed():
        remedy = "install them: pip install 'restante[otel]', or remove this setting"
        cause = "needs libraries that are not installed"
        yield _problem(config, ("telemetry", "otlp"), cause, remedy, config.telemetry.otlp)


def _is_mailbox(text: str) -> bool:
    local_part, domain = split_mailbox(text)
    try:
        return bool(local_part and domain and canonical_domain(domain)) and not any(
            map(str.isspace, local_part)
        )
    except ValueError:
        return False
