"""Chains of certificates: whether one can be verified, up to authorities that are trusted. Pure.

The authorities are those of this system, or one that a record of DNS names. The rules for
extensions are looser than those of the web, as a private authority does not follow them. Names,
dates, signatures and the right to sign are checked.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

_OF_HOSTS: Final = ExtensionPolicy.permit_all().require_present(
    x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
)
_OF_AUTHORITIES: Final = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, None
)


def chain_fault(
    anchors: Sequence[x509.Certificate],
    chain: Sequence[x509.Certificate],
    host: str,
    at: float,
) -> str:
    """Return why a chain, the host's own certificate first, is not valid; "" if it is.

    `anchors` are trusted, `host` is in canonical spelling, and `at` is Unix time. Raises ValueError
    for a certificate that cannot be read.
    """
    if not anchors:
        return "there is no authority to trust"
    leaf, *others = chain
    policy = PolicyBuilder().store(Store([*anchors])).time(datetime.fromtimestamp(at, UTC))
    relaxed = policy.extension_policies(ca_policy=_OF_AUTHORITIES, ee_policy=_OF_HOSTS)
    try:
        relaxed.build_server_verifier(x509.DNSName(host)).verify(leaf, others)
    except VerificationError as error:
        return str(error).partition(" (")[0]
    return ""
