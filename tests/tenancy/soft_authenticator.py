"""An authenticator in software, with the browser in front of it: the answers of both as JSON."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256, CoseKey
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

PRESENT, VERIFIED, BACKUP_POSSIBLE, BACKED_UP, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass
class SoftAuthenticator:
    """One passkey. The fields can be set to those of a bad one."""

    web_origin: str
    counter: int = 1
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    relying_party: str = ""  # the one of the options, unless it is set
    client: dict[str, Any] = field(default_factory=dict)  # replaces fields of the browser
    public_key: CoseKey | None = None  # in place of its own

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """Make the passkey that `navigator.credentials.create` would."""
        client = self._client("webauthn.create", options["challenge"])
        self.handle = websafe_decode(options["user"]["id"])
        key = self.public_key or _cose(self._key.public_key())
        credential = AttestedCredentialData.create(bytes(16), self.credential_id, key)
        data = self._data(options["rp"]["id"], HAS_KEY, credential)
        attestation = AttestationObject.create("none", data, {})
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(attestation),
            }
        )

    def get(self, options: dict[str, Any]) -> str:
        """Sign a challenge as `navigator.credentials.get` would."""
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(options["rpId"])
        signature = self._key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                **({"userHandle": websafe_encode(self.handle)} if self.handle else {}),
            }
        )

    def _client(self, kind: str, challenge: str) -> CollectedClientData:
        said = {
            "type": kind,
            "challenge": challenge,
            "origin": self.web_origin,
            "crossOrigin": False,
        }
        return CollectedClientData(json.dumps({**said, **self.client}).encode())

    def _data(
        self, party: str, more: int = 0, credential: AttestedCredentialData | None = None
    ) -> AuthenticatorData:
        digest = sha256((self.relying_party or party).encode())
        flags = AuthenticatorData.FLAG(self.flags | more)
        made: AuthenticatorData = AuthenticatorData.create(
            digest, flags, self.counter, credential or b""
        )
        return made

    def _answer(self, response: dict[str, str]) -> str:
        name = websafe_encode(self.credential_id)
        whole = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps({**whole, "clientExtensionResults": {}})


def _cose(key: ec.EllipticCurvePublicKey) -> CoseKey:
    numbers = key.public_numbers()
    x, y = (one.to_bytes(32) for one in (numbers.x, numbers.y))
    return ES256({1: 2, 3: -7, -1: 1, -2: x, -3: y})
