"""The first files of an installation: configuration, certificates, keys and the store's directory. Nothing is overwritten.

What is made stands on loopback ports and runs at once, without root; the comments in the configuration say what to
change for the Internet.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from restante.config.renewal import TRUST_NAME
from restante.config.self_signed import key_pem, new_ecdsa_key, new_rsa_key, self_signed
from restante.mail.address import canonical_domain
from restante.tenancy.secrets import new_key

PRIVATE = 0o600
PUBLIC = 0o644

TEMPLATE = """\
# Restante: a backup MX that holds mail until it is asked for. Every setting: docs/reference/configuration.md.
# Relative paths start at this file's directory. `restante config check` says what is wrong.

# This server's own full name, as it greets and as it writes into Received.
hostname = {hostname}

# Where mail and records are held: a directory of its own, which only the server may enter.
store = "sqlite:data"

# Seals the secrets in the store. Keep a copy of it, apart from the copies of the store.
key_file = "restante.key"

# On the Internet: start as root, bind port 25 and 465, and become a plain user that owns the store.
# user = "restante"

[[listen]]
service = "mx"                  # mail from anybody, ETRN from primaries; TLS by STARTTLS
address = "127.0.0.1:2525"      # on the Internet: "0.0.0.0:25", and another [[listen]] with "[::]:25"

[[listen]]
service = "smtps"               # the same, inside TLS from the first byte
address = "127.0.0.1:4465"      # on the Internet: "0.0.0.0:465", and "[::]:465"

[tls]
# One certificate for each type of key: ECDSA, and RSA for old clients. They are self-signed; clients that check
# them need tls/trust.pem. Either replace them by those of an authority, or renew them each year:
# restante init --renew-certificate
certificate = ["tls/cert.pem", "tls/cert-rsa.pem"]
key = ["tls/key.pem", "tls/key-rsa.pem"]
minimum = "1.2"                 # "1.0" = legacy profile, for old primaries; also per listener: tls_minimum

[log]
style = "text"                  # "json" for programs

# [telemetry]
# metrics = "127.0.0.1:9325"    # for a Prometheus on this machine; without it they are on the control socket
"""


class AlreadyThere(Exception):  # noqa: N818
    """Some of the files exist; nothing was changed."""

    def __init__(self, existing: list[Path]) -> None:
        super().__init__(", ".join(str(path) for path in existing))
        self.existing = existing


@dataclass(frozen=True, slots=True)
class Made:
    """What was made."""

    config: Path
    store_directory: Path


def own_name() -> str:
    """Return this machine's full name if it knows a valid one, else `localhost`."""
    for name in (socket.gethostname(), socket.getfqdn()):
        try:
            if "." in name and not name.endswith(".localdomain"):
                return canonical_domain(name)
        except ValueError:
            continue
    return "localhost"


def initialize(directory: Path, hostname: str, now: float) -> Made:
    """Make everything but the store itself, or nothing.

    Raises AlreadyThere, and OSError where the directory cannot be written to.
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
    return Made(directory / "restante.toml", data)


def _files(directory: Path, hostname: str, now: float) -> Mapping[Path, tuple[bytes, int]]:
    """Return contents and modes; the configuration last, so that it never names what is not there."""
    tls, ecdsa, rsa = directory / "tls", new_ecdsa_key(), new_rsa_key()
    certificates = [self_signed(hostname, key, now) for key in (ecdsa, rsa)]
    return {
        tls / "cert.pem": (certificates[0], PUBLIC),
        tls / "key.pem": (key_pem(ecdsa), PRIVATE),
        tls / "cert-rsa.pem": (certificates[1], PUBLIC),
        tls / "key-rsa.pem": (key_pem(rsa), PRIVATE),
        tls / TRUST_NAME: (b"".join(certificates), PUBLIC),
        directory / "restante.key": (new_key(), PRIVATE),
        directory / "restante.toml": (
            TEMPLATE.format(hostname=json.dumps(hostname)).encode(),
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
        path.touch(mode=mode, exist_ok=False)  # the mode is there before the content
        made.append(path)
        path.write_bytes(content)
