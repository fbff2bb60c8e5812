"""Options that do not go together: an option that would be ignored is an error."""

from __future__ import annotations

import argparse

from restante_client.client_failure import ClientExit, ClientFailure

NO_LOCAL = "none"
DEFAULT_LOCAL = "127.0.0.1:25"
LOCAL_WAIT_SECONDS = 600
LIMIT_SECONDS = 12 * 3600
_TLS = {"ask": "implicit", "turn": "starttls"}
_FILES = ("password_file", "token_file", "certificate", "key", "ca")
_WITHOUT_CREDENTIALS = ("networkmanager", "windows")
_OF_MAIL_SERVERS = ("login", "password_file", "auth", "tls")


def settle_options(given: argparse.Namespace) -> None:
    """Set the defaults of `ask` or `turn`. Raises ClientFailure."""
    _refuse_pairs(given)
    if given.verb == "ask":
        _check_ask(given)
    elif given.local == NO_LOCAL:
        raise _wrong(f"--local {NO_LOCAL}: turn hands the mail to the local server; name it")
    if not getattr(given, "https", False):
        _check_login(given)
    given.tls = given.tls or _TLS[given.verb]
    given.local = given.local or DEFAULT_LOCAL
    given.local_wait = given.local_wait or LOCAL_WAIT_SECONDS
    given.limit = given.limit or LIMIT_SECONDS


def _refuse_pairs(given: argparse.Namespace) -> None:
    if given.ca and given.pin:
        raise _wrong("--ca with --pin: the pin alone decides; give one of both")
    if given.key and not given.certificate:
        raise _wrong("--key without --certificate; give both")
    if given.local == NO_LOCAL and given.local_wait:
        raise _wrong(f"--local-wait with --local {NO_LOCAL}: nothing is awaited; give one of both")


def _check_ask(given: argparse.Namespace) -> None:
    if given.https:
        for name in _OF_MAIL_SERVERS:
            if getattr(given, name):
                option = name.replace("_", "-")
                raise _wrong(f"--{option} with --https: the token proves who you are; leave it out")
        if not given.token_file:
            raise _wrong("no token; give --token-file with --https")
    elif given.token_file:
        raise _wrong("--token-file without --https: ETRN needs a login; add --https")
    elif given.wait:
        raise _wrong("--wait needs --https: ETRN cannot tell when the mail has come")
    if given.limit and not given.wait:
        raise _wrong("--limit without --wait: the request itself has --timeout; add --wait")


def _check_login(given: argparse.Namespace) -> None:
    if not (given.password_file or given.certificate):
        raise _wrong("no password; give --login and --password-file, or --certificate")
    if given.password_file and not given.login:
        raise _wrong("a password without a user name; give --login")
    if given.auth == "external" and not given.certificate:
        raise _wrong("--auth external without a certificate; give --certificate")
    if given.auth == "external" and given.password_file:
        raise _wrong("--password-file with --auth external: it is not used; leave it out")
    if given.auth not in (None, "external") and not given.password_file:
        raise _wrong(f"--auth {given.auth} without a password; give --password-file")


def check_repeated(given: argparse.Namespace, printed: str | None) -> None:
    """Check a command that runs again and again, or from a printed file. Raises ClientFailure."""
    for name in _FILES:
        place = getattr(given, name, None)
        if not place:
            continue
        option = f"--{name.replace('_', '-')} {place}"
        if place == "-":
            raise _wrong(f"{option}: each run reads the secret, and there is no input; name a file")
        if printed and place.startswith("credential:"):
            if printed in _WITHOUT_CREDENTIALS:
                raise _wrong(f"{option}: only a unit of systemd has credentials; name a file")
        elif printed and not _is_whole(place, printed):
            raise _wrong(f"{option}: it will run in another directory; name the file by its path")


def _is_whole(place: str, printed: str) -> bool:
    from pathlib import PurePosixPath, PureWindowsPath  # noqa: PLC0415  heavy

    if printed == "windows" and PureWindowsPath(place).is_absolute():
        return True
    return PurePosixPath(place).is_absolute()


def _wrong(text: str) -> ClientFailure:
    return ClientFailure(ClientExit.USAGE, text)
