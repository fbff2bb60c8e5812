"""The SASL mechanisms that listeners offer, in the order in which EHLO names them."""

import time
from collections.abc import Callable
from secrets import token_hex

from restante.sasl.auth_login import AuthLogin
from restante.sasl.cram_md5 import CramMd5
from restante.sasl.external import EXTERNAL, ExternalExchange
from restante.sasl.plain import PlainExchange
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting
from restante.sasl.scram_messages import new_nonce
from restante.smtp.server_options import MechanismFactories


def offered_mechanisms(
    hostname: str, salting: Callable[[str], Salting], *, takes_certificates: bool = False
) -> MechanismFactories:
    """Return what makes an exchange of each. `salting` gives the SCRAM salt of a user.

    EXTERNAL is there where clients may show certificates, and offered to those that have.
    """
    external = {EXTERNAL: ExternalExchange} if takes_certificates else {}
    return {
        "PLAIN": PlainExchange,
        "LOGIN": AuthLogin,
        "CRAM-MD5": lambda: CramMd5(_challenge(hostname)),
        "SCRAM-SHA-256": lambda: ScramSha256(new_nonce(), salting),
        **external,
    }


def _challenge(hostname: str) -> bytes:
    """Make a CRAM-MD5 challenge that has never been used (RFC 2195 §2)."""
    return f"<{token_hex(12)}.{time.time_ns()}@{hostname}>".encode()
