"""The key of an account at an authority, and requests that it signs (RFC 8555 §6.2)."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from restante.acme.certificate_files import UNREADABLE_KEY, write_private

_ALGORITHM: Final = "ES256"
_REGISTRY: Final = jws.JWSRegistry(algorithms=[_ALGORITHM], strict_check_header=False)


class AccountKey:
    """An ECDSA key."""

    def __init__(self, key: ECKey) -> None:
        self._key = key

    @property
    def public(self) -> Mapping[str, Any]:
        """The public half as a JSON Web Key."""
        return self._key.as_dict(private=False)

    def authorization(self, token: str) -> str:
        """Return the key authorization for a token of a challenge (RFC 8555 §8.1)."""
        return f"{token}.{self._key.thumbprint()}"

    def signed(self, url: str, nonce: str, payload: bytes, account: str = "") -> bytes:
        """Return the body of a request. `account` is the URL of the account, "" to register."""
        who = {"kid": account} if account else {"jwk": self.public}
        header = {"alg": _ALGORITHM, "nonce": nonce, "url": url, **who}
        made = jws.serialize_json({"protected": header}, payload, self._key, registry=_REGISTRY)
        return json.dumps(made).encode()


def load_account_key(file: Path) -> AccountKey:
    """Read the key, or make one that nobody else may read. Raises OSError, ValueError."""
    with suppress(FileNotFoundError):
        try:
            return AccountKey(ECKey.import_key(file.read_bytes()))
        except (ValueError, TypeError, JoseError):  # TypeError: it has a passphrase
            raise ValueError(f"{file}: {UNREADABLE_KEY}") from None
    key = ECKey.generate_key("P-256")
    write_private(file, key.as_pem(private=True))
    return AccountKey(key)
