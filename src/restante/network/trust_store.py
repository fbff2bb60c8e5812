"""The authorities that this system trusts, as OpenSSL finds them."""

import re
import ssl
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]{1,3}")  # names of files that OpenSSL reads
_LARGEST_FILE: Final = 16 * 1024 * 1024
# Of an authority of the system with an old form of number. Nobody here can change it.
warnings.filterwarnings("ignore", "Parsed a serial number", CryptographyDeprecationWarning)


def system_authorities() -> list[x509.Certificate]:
    """Return the authorities that this system trusts, read where OpenSSL reads them.

    Those that cannot be read are left out.
    """
    found: dict[bytes, x509.Certificate] = {}
    for file in _trust_files():
        try:
            if file.stat().st_size > _LARGEST_FILE:
                continue
            pem = file.read_bytes()
        except OSError:
            continue
        for one in _readable(pem):
            found[one.tbs_certificate_bytes] = one
    return list(found.values())


def _trust_files() -> Iterator[Path]:
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        yield Path(paths.cafile)
    if paths.capath is not None:
        yield from sorted(
            one for one in Path(paths.capath).iterdir() if _HASHED.fullmatch(one.name)
        )


def _readable(pem: bytes) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return ()
