"""Check the files, the directories and the user that the configuration names. Report all errors.

The schema checks the text alone. This module looks at the disk, at start, at a reload and for
`restante config check`.
"""

import ipaddress
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from shlex import quote

from restante.config.certificate import (
    UnfitCertificate,
    covers,
    end_warnings,
    host_names,
    key_type,
    public_key_of,
    read_certificate,
    read_public_key,
)
from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.host_name import flaw_of
from restante.config.key_copy import copy_warnings
from restante.config.key_file import KeyUnusable, read_key
from restante.config.listen_settings import ACME, ODMR_SERVICES, WEB
from restante.config.schema import CONTROL_NAME, Config
from restante.config.self_signed import is_self_signed
from restante.config.server_certificates import certificate_groups
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
from restante.reception.disk_space import free_octets, size_octets
from restante.reception.reception_settings import MEBIBYTE
from restante.store.database_driver import database_driver_is_installed
from restante.store.object_driver import object_driver_is_installed
from restante.telemetry.trace_export import is_installed

SOCKET_PATH_LIMIT = 107  # octets that the system takes for the path of a Unix socket
LAST_PORT = 65535
_HTTP_PORT = 80
NAMES_SHOWN = 3  # of the hosts that a certificate covers
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
    return list(_warnings(config, now))


def standing_warnings(config: Config) -> tuple[str, ...]:
    """Return the warnings that concern what others see of the server, for its health.

    They are true until the configuration changes. Files that cannot be read are passed over.
    """
    found: list[str] = []
    for warnings in (_host_name_warnings, _certificate_warnings, _small_disk_warnings):
        with suppress(OSError, UnfitCertificate):
            found += warnings(config)
    return tuple(found)


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
    if config.user and _account_of(config) is None:
        remedy = f"make it (useradd --system {config.user}), or name another"
        yield _problem(config, ("user",), NO_USER, remedy, config.user)


def _account_of(config: Config) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(config.user)
    except KeyError:
        return None


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
    account = _account_of(config) if config.user and os.geteuid() == 0 else None
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


def _warnings(config: Config, now: float) -> Iterator[str]:
    pairs = [pair for group in certificate_groups(config) for pair in group.pairs]
    for file, _ in pairs:
        yield from end_warnings(read_certificate(file.read_bytes()), now, file)
    for _, file in pairs:
        if file.stat().st_mode & _OTHERS & ~stat.S_IRGRP:
            yield f"{file}: other users can read this key; chmod 640 {quote(str(file))}"
    directory = config.store_directory
    if directory is not None and directory.stat().st_mode & _OTHERS:
        yield f"{directory}: other users can read held mail; chmod 700 {quote(str(directory))}"
    yield from _host_name_warnings(config)
    yield from _certificate_warnings(config)
    yield from _small_disk_warnings(config)
    yield from _full_disk_warnings(config)
    yield from _metrics_warnings(config)
    yield from _turnaround_warnings(config)
    yield from _acme_warnings(config)
    yield from _log_warnings(config)
    yield from _reload_warnings(config)
    yield from copy_warnings(config)
    yield from _exposed_key_warnings(config)
    if os.geteuid() == 0 and not config.user:
        yield (
            f"{config.source.where(('user',))}: user is not set and the server stays root; name a"
            " plain user"
        )


def _host_name_warnings(config: Config) -> Iterator[str]:
    if flaw := flaw_of(config.hostname):
        remedy = "write the name that this machine has in public DNS"
        yield str(_problem(config, ("hostname",), flaw, remedy, config.hostname))


def _certificate_warnings(config: Config) -> Iterator[str]:
    """Warn of certificates for other hosts."""
    for file in certificate_groups(config)[0].certificate:
        certificate = read_certificate(file.read_bytes())
        if covers(certificate, config.hostname):
            continue
        remedy = f"get one for {config.hostname}, or correct hostname"
        if is_self_signed(certificate):
            remedy = "renew it: restante init --renew-certificate"
        names = ", ".join(host_names(certificate)[:NAMES_SHOWN]) or "no host"
        cause = f"the certificate is for {names}, not for {config.hostname}"
        yield f"{file}: {cause}, so clients that verify it refuse us; {remedy}"


def _small_disk_warnings(config: Config) -> Iterator[str]:
    """Warn of a disk on which no mail can ever be accepted."""
    directory, reserve = config.store_directory, config.reception.disk_reserve
    if directory is None:
        return
    size = size_octets(directory)
    if size <= reserve:
        cause = f"its disk has {size // MEBIBYTE} MiB, no more than {_reserve_text(config)}"
        remedy = "use a larger disk, or lower the reserve"
        yield f"{directory}: {cause}, so mail is never accepted; {remedy}"


def _full_disk_warnings(config: Config) -> Iterator[str]:
    """Warn of a large enough disk on which no mail can be accepted now."""
    directory, reserve = config.store_directory, config.reception.disk_reserve
    if directory is None:
        return
    free = free_octets(directory)
    if free < reserve < size_octets(directory):
        cause = f"its disk has {free // MEBIBYTE} MiB free, less than {_reserve_text(config)}"
        yield f"{directory}: {cause}, so no mail is accepted; free some space, or lower the reserve"


def _reserve_text(config: Config) -> str:
    return f"reception.disk_reserve ({config.reception.disk_reserve // MEBIBYTE} MiB)"


def _metrics_warnings(config: Config) -> Iterator[str]:
    """Warn of metrics that strangers may read: they need no password."""
    if config.telemetry.metrics_endpoint is None:
        return
    address = ipaddress.ip_address(config.telemetry.metrics_endpoint[0])
    if address.is_unspecified or address.is_global:
        where = config.source.where(("telemetry", "metrics"))
        yield (
            f"{where}: anybody may read the metrics at {config.telemetry.metrics}; name a loopback"
            " or private address"
        )


def _turnaround_warnings(config: Config) -> Iterator[str]:
    """Warn of listeners for a command that is offered nowhere."""
    for place, listen in enumerate(config.listen):
        if listen.service in ODMR_SERVICES and config.release.turnaround == "off":
            where = config.source.where(("listen", place, "service"))
            yield (
                f'{where}: {listen.service} has no use while turnaround of [release] is "off";'
                ' remove this [[listen]], or write turnaround = "odmr-only"'
            )


def _acme_warnings(config: Config) -> Iterator[str]:
    """Warn of listeners that never get an order, and of ports that no authority asks at."""
    for place, listen in enumerate(config.listen):
        if listen.service != ACME:
            continue
        where = config.source.where(("listen", place, "service"))
        if not config.acme.names:
            yield f"{where}: acme has no use without names of [acme]; remove this [[listen]]"
        elif listen.endpoint[1] != _HTTP_PORT:
            yield (
                f"{where}: authorities ask at port {_HTTP_PORT} only; pass that port on to"
                f" {listen.address}"
            )


def _log_warnings(config: Config) -> Iterator[str]:
    """Warn of a place for the log that takes no lines. Mail does not depend on it."""
    log = config.log
    if log.to == "stderr":
        return
    name: SettingLocation = ("log", "syslog_socket" if log.file is None else "file")
    path = log.syslog_socket if log.file is None else log.file
    cause, remedy = _log_file_flaw(config, path) if log.file else _syslog_flaw(path)
    if cause:
        remedy = f"{remedy}; until then the log goes to standard error"
        yield str(_problem(config, name, cause, remedy, path))


def _log_file_flaw(config: Config, file: Path) -> tuple[str, str]:
    """Return why the server cannot write to a file of the log, and a remedy; "" if it can."""
    owner = config.user or pwd.getpwuid(os.geteuid()).pw_name
    try:
        file = file.resolve(strict=False)  # a link may lead to a file that is not there yet
        is_loop = file.is_symlink()  # of links: Python 3.13 and later resolve it to itself
        mode = file.stat().st_mode if file.exists() else stat.S_IFREG
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        is_loop = True
    if is_loop:
        return "is a link that leads to no file", "remove it, or name another file"
    directory = file.parent
    if not directory.is_dir():
        make = f"install -d -m 0750 -o {owner} {quote(str(directory))}"
        return f"{directory} is not there", f"make it: {make}"
    if stat.S_ISDIR(mode):
        return "is a directory", "name a file in it"
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        return "is a pipe or a socket, which can lose lines", "name a plain file"
    if not _may_open(config, file if file.exists() else directory):
        make = f"install -d -m 0750 -o {owner} /var/log/restante"
        return f"{owner} may not write there", f"name a file in a directory of its own: {make}"
    return "", ""


def _syslog_flaw(path: Path) -> tuple[str, str]:
    if path.is_socket():
        return "", ""
    return "no syslog server listens there", 'start one, or write to = "stderr"'


def _may_open(config: Config, path: Path) -> bool:
    """Return whether the server's later user may write to a file, or make one in a directory."""
    account = _account_of(config) if config.user and os.geteuid() == 0 else None
    if account is None:
        return os.access(path, os.W_OK)
    facts = path.stat()
    if facts.st_uid == account.pw_uid:
        return bool(facts.st_mode & stat.S_IWUSR)
    if facts.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return bool(facts.st_mode & stat.S_IWGRP)
    return bool(facts.st_mode & stat.S_IWOTH)


def _exposed_key_warnings(config: Config) -> Iterator[str]:
    """Warn of keys that other users can replace, at their place or where a link leads to."""
    for file in (config.key_file, *(key for _, key in config.tls.all_pairs)):
        target = file.resolve()
        name = f"{file}, a link to {target}" if target != file.absolute() else str(file)
        for directory in dict.fromkeys((file.absolute().parent, target.parent)):
            mode = directory.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                yield (
                    f"{name}: other users can replace this key in {directory};"
                    f" chmod o-w {quote(str(directory))}"
                )


def _reload_warnings(config: Config) -> Iterator[str]:
    """Warn of files that root can read at start but the server's user cannot at a reload."""
    account = _account_of(config) if config.user and os.geteuid() == 0 else None
    if account is None:
        return
    passwords = (config.store_password_file, config.hygiene.rspamd.password_file)
    secrets = (config.key_file, *(Path(password) for password in passwords if password))
    for path in (*chain.from_iterable(config.tls.all_pairs), *secrets):
        facts = path.stat()
        is_readable = facts.st_uid == account.pw_uid or facts.st_mode & stat.S_IROTH
        if not is_readable and not (
            facts.st_gid == account.pw_gid and facts.st_mode & stat.S_IRGRP
        ):
            yield (
                f"{path}: {config.user} cannot read it, so a reload will fail; chown {config.user}"
                f" {path}"
            )
