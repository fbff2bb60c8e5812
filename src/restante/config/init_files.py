"""Create the first files of an installation: configuration, certificates, keys, store directory.

Nothing is overwritten. The installation listens on loopback ports and can be started at once,
without root. Comments in the configuration describe the changes for the Internet.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restante.config.config_template import ConfigChoices, configuration_text
from restante.config.renewal import TRUST_NAME
from restante.config.self_signed import key_pem, new_ecdsa_key, new_rsa_key, self_signed
from restante.mail.address import canonical_domain
from restante.tenancy.sealed_secrets import new_sealing_key

PRIVATE = 0o600
PUBLIC = 0o644


class AlreadyThere(Exception):  # noqa: N818
    """Some of the files exist already. Nothing was changed."""

    def __init__(self, existing: list[Path]) -> None:
        super().__init__(", ".join(str(path) for path in existing))
        self.existing = existing


@dataclass(frozen=True, slots=True)
class InstallationFiles:
    """The paths of a new installation."""

    config: Path
    store_directory: Path
    key_file: Path


def own_name() -> str:
    """Return this machine's full name if it is valid, otherwise `localhost`."""
    for name in (socket.gethostname(), socket.getfqdn()):
        try:
            if "." in name and not name.endswith(".localdomain"):
                return canonical_domain(name)
        except ValueError:
            continue
    return "localhost"


def initialize(directory: Path, hostname: str, now: float) -> InstallationFiles:
    """Create everything except the store itself, or nothing.

    Raises AlreadyThere, and OSError if the directory cannot be written.
    """
    files = _files(directory, hostname, now)
    data = directory / "data"
    if existing := [path for path in (*files, data) if path.exists() or path.is_symlink()]:
        raise AlreadyThere(existing)
    made: list[Path] = []
    try:
        _make_all(directory, data, files, made)
    except OSError:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        raise
    return InstallationFiles(directory / "restante.toml", data, directory / "restante.key")


def _files(directory: Path, hostname: str, now: float) -> Mapping[Path, tuple[bytes, int]]:
    """Return contents and modes. The configuration is last: the files it names exist by then."""
    tls, ecdsa, rsa = directory / "tls", new_ecdsa_key(), new_rsa_key()
    certificates = [self_signed(hostname, key, now) for key in (ecdsa, rsa)]
    return {
        tls / "cert.pem": (certificates[0], PUBLIC),
        tls / "key.pem": (key_pem(ecdsa), PRIVATE),
        tls / "cert-rsa.pem": (certificates[1], PUBLIC),
        tls / "key-rsa.pem": (key_pem(rsa), PRIVATE),
        tls / TRUST_NAME: (b"".join(certificates), PUBLIC),
        directory / "restante.key": (new_sealing_key(), PRIVATE),
        directory / "restante.toml": (
            configuration_text(ConfigChoices(hostname)).encode(),
            PUBLIC,
        ),
    }


def _make_all(
    directory: Path, data: Path, files: Mapping[Path, tuple[bytes, int]], made: list[Path]
) -> None:
    for folder in (directory, directory / "tls", data):
        if not folder.is_dir():
            folder.mkdir(parents=folder is directory, mode=0o700 if folder is data else 0o755)
            made.append(folder)
    for path, (content, mode) in files.items():
        path.touch(mode=mode, exist_ok=False)  # the mode is set before the content
        made.append(path)
        path.write_bytes(content)
