"""Whether clients that verify accept the certificates of this server. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509

from restante.network.certificate_chain import chain_fault
from restante.network.served_certificate import ServedCertificate


def distrust(
    served: ServedCertificate, host: str, authorities: Sequence[x509.Certificate], at: float
) -> str:
    """Return why a client that trusts the authorities refuses us as a host; "" if it does not.

    A client gets the certificate of one type of key, so each must be good. `at` is Unix time.
    """
    for der in served.chains:
        try:
            chain = [x509.load_der_x509_certificate(one) for one in der]
            if chain_fault(authorities, chain, host, at):
                return _cause(served, chain, host, at)
        except ValueError:
            return "it cannot be read"
    return ""


def _cause(
    served: ServedCertificate, chain: Sequence[x509.Certificate], host: str, at: float
) -> str:
    now = datetime.fromtimestamp(at, UTC)
    if not served.covers(host):
        return f"it is not for {host}"
    for one in chain:
        if now > one.not_valid_after_utc:
            return f"its chain ended on {one.not_valid_after_utc:%Y-%m-%d}"
        if now < one.not_valid_before_utc:
            return f"its chain is valid from {one.not_valid_before_utc:%Y-%m-%d} only"
    leaf = chain[0]
    if leaf.issuer == leaf.subject:
        return "it is signed by itself"
    return "its chain does not end in an authority that this system trusts"
