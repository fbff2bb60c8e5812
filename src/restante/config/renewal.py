"""New certificates for the keys of an installation, where `restante init` made the old ones.

The keys stay, so clients that pin them (`domain --tls-pin`, TLSA 3 1 1) notice nothing. Clients
that trust the certificates need the new ones. These are first added to the file of certificates to
trust, which can be copied to other hosts before the server shows the new ones.

Each file is replaced whole, and the certificates after the file to trust. After a crash between
them each certificate still fits its key and is in that file; running it again completes it. For the
same reason, a server that reads its files meanwhile finds pairs that fit. Of two renewals at once,
the second waits for the first, and then replaces its certificates.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from restante.config.certificate import (
    UnfitCertificate,
    read_certificate,
    read_certificates,
    read_private_key,
)
from restante.config.schema import Config
from restante.config.self_signed import SigningKey, is_self_signed, self_signed

TRUST_NAME: Final = "trust.pem"  # beside the first certificate
_PUBLIC: Final = 0o644


class NotRenewable(Exception):  # noqa: N818
    """A certificate is not ours to renew; nothing was changed. The text is thing, cause, remedy."""


@dataclass(frozen=True, slots=True)
class RenewalFiles:
    """The files of a renewal."""

    certificates: tuple[Path, ...]
    trust: Path  # for clients: every certificate that the server shows, or did and that is valid
    ends: float  # Unix time


def renew(config: Config, now: float) -> RenewalFiles:
    """Write new certificates for all configured keys, or none. `now` is Unix time.

    Raises NotRenewable, and OSError where a file cannot be read or written. The pairs must be in
    order (`check_tls`).
    """
    with _locked(config.tls.certificate[0].parent):
        return _renew(config, now)


def _renew(config: Config, now: float) -> RenewalFiles:
    renewed: dict[Path, bytes] = {}
    for file, key_file in config.tls.pairs:
        old, key = read_certificate(file.read_bytes()), read_private_key(key_file.read_bytes())
        if not is_self_signed(old) or not isinstance(key, SigningKey):
            remedy = "get a new one from where it came from, and reload the server"
            raise NotRenewable(f"{file}: was not made by `restante init`; {remedy}")
        renewed[file] = self_signed(config.hostname, key, now)
    trust = config.tls.certificate[0].parent / TRUST_NAME
    _replace_all({trust: _trusted(trust, config, renewed.values(), now), **renewed})
    ends = read_certificate(next(iter(renewed.values()))).not_valid_after_utc
    return RenewalFiles(tuple(renewed), trust, ends.timestamp())


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Keep other renewals in this directory waiting. A lock ends with its process."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _trusted(trust: Path, config: Config, renewed: Iterable[bytes], now: float) -> bytes:
    """Return the file to trust: the new certificates, then all others that are still valid."""
    try:
        before = read_certificates(trust.read_bytes()) if trust.exists() else []
    except UnfitCertificate as error:
        raise NotRenewable(f"{trust}: {error.cause}; remove it and run this again") from None
    shown = [read_certificate(file.read_bytes()) for file in config.tls.certificate]
    others = [each for each in (*shown, *before) if each.not_valid_after_utc.timestamp() > now]
    pems = [*renewed, *(each.public_bytes(Encoding.PEM) for each in others)]
    return b"".join(dict.fromkeys(pems))


def _replace_all(contents: dict[Path, bytes]) -> None:
    """Write every file beside the one it replaces, then put them in place in this order."""
    places = {file.resolve(): content for file, content in contents.items()}
    written: list[tuple[Path, Path]] = []
    try:
        for place, content in places.items():
            draft = place.with_name(f"{place.name}.new")
            written.append((draft, place))
            _write(draft, content, place)
        for draft, place in written:
            draft.replace(place)
    finally:
        for draft, _ in written:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _write(draft: Path, content: bytes, place: Path) -> None:
    """Write a file to the disk, with mode and owner of the one that it is to replace."""
    draft.unlink(missing_ok=True)  # of a run that was killed
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("wb") as file:
        if place.exists():
            facts = place.stat()
            os.fchown(file.fileno(), facts.st_uid, facts.st_gid)
            os.fchmod(file.fileno(), facts.st_mode & 0o777)
        else:
            os.fchmod(file.fileno(), _PUBLIC)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
