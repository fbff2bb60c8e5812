"""A configuration on disk that is in order, to be spoiled by tests."""

import shutil
from functools import cache
from pathlib import Path

import trustme

from restante.config.init_files import initialize
from restante.config.key_copy import confirm_copy
from tests.kept_directory import kept_directory

NOW = 1_760_000_000.0


def installed(directory: Path) -> Path:
    """Make an installation as `restante init` does and return its configuration."""
    shutil.copytree(_made(), directory, dirs_exist_ok=True)
    return directory / "restante.toml"


@cache
def _made() -> Path:
    """Make one installation, for all tests to copy: a key for RSA takes 40 ms."""
    made = initialize(kept_directory("restante-made-"), "mx2.example.net", NOW)
    confirm_copy(made.key_file)
    return made.config.parent


def replaced(config: Path, old: str, new: str) -> Path:
    """Replace a piece of the configuration."""
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    return config


def with_named(config: Path, issued: trustme.LeafCert, name: str = "customer") -> Path:
    """Add a `[[tls.names]]` with a certificate, and return the file of the certificate."""
    tls = config.parent / "tls"
    issued.cert_chain_pems[0].write_to_path(tls / f"{name}.pem")
    key = tls / f"{name}-key.pem"
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    table = f'\n[[tls.names]]\ncertificate = "tls/{name}.pem"\nkey = "tls/{name}-key.pem"\n'
    config.write_text(config.read_text() + table)
    return tls / f"{name}.pem"


ACME = """
[acme]
directory = "https://ca.example/dir"
names = ["mx.customer.example"]
"""


ACME_LISTENER = """
[[listen]]
service = "acme"
address = "127.0.0.1:{port}"
"""


def with_text(config: Path, text: str) -> Path:
    config.write_text(config.read_text() + text)
    return config
