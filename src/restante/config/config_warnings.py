"""Warn of settings with which the server runs, but not as its operator may expect.

A warning names the file or the setting, the effect, and a remedy, in one line.
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
from typing import Final

from restante.config.certificate import (
    UnfitCertificate,
    covers,
    end_warnings,
    host_names,
    read_certificate,
)
from restante.config.config_problem import ConfigProblem
from restante.config.host_name import flaw_of
from restante.config.key_copy import copy_warnings
from restante.config.listen_settings import ACME, ODMR_SERVICES
from restante.config.schema import Config
from restante.config.self_signed import is_self_signed
from restante.config.server_certificates import certificate_groups
from restante.config.server_user import later_user
from restante.config.setting_places import SettingLocation, key_name
from restante.reception.disk_space import free_octets, size_octets
from restante.reception.reception_settings import MEBIBYTE

NAMES_SHOWN: Final = 3  # of the hosts that a certificate covers
_HTTP_PORT: Final = 80
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def config_warnings(config: Config, now: float) -> Iterator[str]:
    """Yield all warnings, one line each. Raises OSError for a file that cannot be read."""
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


def standing_warnings(config: Config) -> tuple[str, ...]:
    """Return the warnings that concern what others see of the server, for its health.

    They are true until the configuration changes. Files that cannot be read are passed over.
    """
    found: list[str] = []
    for warnings in (_host_name_warnings, _certificate_warnings, _small_disk_warnings):
        with suppress(OSError, UnfitCertificate):
            found += warnings(config)
    return tuple(found)


def _flaw(config: Config, location: SettingLocation, cause: str, remedy: str, value: object) -> str:
    where = config.source.where(location)
    return str(ConfigProblem(where, key_name(location), cause, remedy, value))


def _host_name_warnings(config: Config) -> Iterator[str]:
    if flaw := flaw_of(config.hostname):
        remedy = "write the name that this machine has in public DNS"
        yield _flaw(config, ("hostname",), flaw, remedy, config.hostname)


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
        yield _flaw(config, name, cause, remedy, path)


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
    account = later_user(config)
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
    account = later_user(config)
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
