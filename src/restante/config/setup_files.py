"""The files of `restante setup`: those that are missing are made, one at a time.

Guarantee: a file that is there is never replaced. Each file appears whole: it is written beside its
place, synced, and then gets its name by link(2), which fails where the name is taken. So after a
kill at any point, the same call makes the rest. The configuration comes last: until it is there, no
command finds the installation.

A certificate is made for the key that is on the disk, so the two of a killed run fit.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from restante.config.certificate import read_private_key
from restante.config.config_template import ConfigChoices, configuration_text
from restante.config.init_files import PRIVATE, PUBLIC
from restante.config.key_file import sync_directory
from restante.config.renewal import TRUST_NAME
from restante.config.self_signed import (
    SigningKey,
    key_pem,
    new_ecdsa_key,
    new_rsa_key,
    self_signed,
)
from restante.tenancy.sealed_secrets import new_sealing_key

CONFIG_NAME: Final = "restante.toml"
KEY_NAME: Final = "restante.key"
OWN_PAIR: Final = (("tls/cert.pem", "tls/key.pem"),)
_SELF_SIGNED: Final = (
    ("tls/key.pem", "tls/cert.pem", new_ecdsa_key),
    ("tls/key-rsa.pem", "tls/cert-rsa.pem", new_rsa_key),
)


@dataclass(frozen=True, slots=True)
class FileOwner:
    """The user and group who are to own the secrets and the store."""

    user: int
    group: int


@dataclass(frozen=True, slots=True)
class SetupFiles:
    """An installation to make, or to complete."""

    directory: Path
    store: Path
    choices: ConfigChoices
    own_pair: tuple[Path, Path] | None = None  # a certificate of an authority and its key, to copy
    owner: FileOwner | None = None  # None: the user who runs this

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / CONFIG_NAME

    @property
    def key_file(self) -> Path:
        """The file with the sealing key."""
        return self.directory / KEY_NAME


def present_files(directory: Path, store: Path) -> list[Path]:
    """Return the files of an installation that is there, and its store."""
    names = [CONFIG_NAME, KEY_NAME, *(name for pair in _SELF_SIGNED for name in pair[:2])]
    found = [directory / name for name in names]
    files = [path for path in found if path.exists() or path.is_symlink()]
    return [*files, store] if has_store(store) else files


def has_store(directory: Path) -> bool:
    """Tell whether there is something in the directory of a store."""
    try:
        return any(directory.iterdir())
    except FileNotFoundError:
        return False


def complete_files(files: SetupFiles, now: float) -> list[Path]:
    """Make the files and directories that are missing, and return them. Raises OSError."""
    made = []
    tls = files.directory / "tls"
    for folder, mode in ((files.directory, 0o755), (tls, 0o755), (files.store, 0o700)):
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=mode)
            made.append(folder)
    if files.owner is not None:  # its files are made by that user later
        os.chown(files.store, files.owner.user, files.owner.group, follow_symlinks=False)
        files.store.chmod(0o700)
    pairs = _copied_pair if files.own_pair else _self_signed_pairs
    made += pairs(files, now)
    if put_file(files.key_file, new_sealing_key(), PRIVATE, files.owner):
        made.append(files.key_file)
    if put_file(files.config, configuration_text(files.choices).encode(), PUBLIC):
        made.append(files.config)
    return made


def _self_signed_pairs(files: SetupFiles, now: float) -> Iterator[Path]:
    certificates = []
    for key_name, certificate_name, new_key in _SELF_SIGNED:
        key_file, file = files.directory / key_name, files.directory / certificate_name
        if not key_file.exists() and put_file(key_file, key_pem(new_key()), PRIVATE, files.owner):
            yield key_file
        key = read_private_key(key_file.read_bytes())
        if not file.exists() and isinstance(key, SigningKey):
            put_file(file, self_signed(files.choices.hostname, key, now), PUBLIC, files.owner)
            yield file
        certificates.append(file.read_bytes())
    trust = files.directory / "tls" / TRUST_NAME
    if put_file(trust, b"".join(certificates), PUBLIC, files.owner):
        yield trust


def _copied_pair(files: SetupFiles, _: float) -> Iterator[Path]:
    """Copy a certificate and its key, as the server's user often may not read their place."""
    assert files.own_pair is not None
    for name, source, mode in zip(OWN_PAIR[0], files.own_pair, (PUBLIC, PRIVATE), strict=True):
        place = files.directory / name
        if not place.exists() and put_file(place, source.read_bytes(), mode, files.owner):
            yield place


def put_file(place: Path, content: bytes, mode: int, owner: FileOwner | None = None) -> bool:
    """Write a file unless its name is taken, and return whether it was written. Raises OSError.

    It is there whole, or not at all. The directory's names are durable when this returns.
    """
    if place.exists() or place.is_symlink():
        return False
    draft = place.with_name(f"{place.name}.new")
    draft.unlink(missing_ok=True)  # of a run that was killed
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if owner is not None:
                os.fchown(descriptor, owner.user, owner.group)
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):  # somebody else was quicker
            os.link(draft, place)
            return True
    finally:
        draft.unlink(missing_ok=True)
        sync_directory(place.parent)
    return False
