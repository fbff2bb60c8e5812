"""TLSA records, by which a mail host names its certificate or key (RFC 6698, RFC 7672). Pure.

Of the four usages, only DANE-TA (2) and DANE-EE (3) are used for mail (RFC 7672 §3.1.3). With
DANE-EE, names and dates of the certificate do not count (§3.1.1). With DANE-TA, the host sends the
certificate that the record names, and the chain is verified from there (§3.1.2).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restante.network.certificate_chain import chain_fault

TRUST_ANCHOR: Final = 2  # DANE-TA
END_ENTITY: Final = 3  # DANE-EE
_WHOLE: Final = 0  # selectors (RFC 6698 §2.1.2)
_KEY: Final = 1
_SHA512: Final = 2  # matching types (RFC 6698 §2.1.3)
_SHA256: Final = 1
_EXACT: Final = 0
_NUMBERS: Final = 3  # before the data
_MOST_CERTIFICATES: Final = 10  # of a chain


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """One record."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """Whether a sender of mail can act by it (RFC 7672 §2.1)."""
        return (
            self.usage in (TRUST_ANCHOR, END_ENTITY)
            and self.selector in (_WHOLE, _KEY)
            and self.matching in (_EXACT, _SHA256, _SHA512)
        )

    def names(self, certificate: bytes) -> bool:
        """Tell whether it names a certificate in DER. Raises ValueError for one that is none."""
        content = certificate if self.selector == _WHOLE else _key_of(certificate)
        match self.matching:
            case 0:
                return content == self.data
            case 1:
                return hashlib.sha256(content).digest() == self.data
            case 2:
                return hashlib.sha512(content).digest() == self.data
        return False


@dataclass(frozen=True, slots=True)
class DaneCheck:
    """The records that a host is held against."""

    records: tuple[TlsaRecord, ...]  # usable ones
    hosts: tuple[str, ...]  # that a certificate under DANE-TA may name; the first has the records
    at: float  # Unix time

    def fault(self, chain: Sequence[bytes]) -> str:
        """Return why a chain of certificates in DER, the host's own first, is not accepted.

        "" if it is.
        """
        some = chain[:_MOST_CERTIFICATES]
        try:
            if not some:
                return "the host shows no certificate"
            if any(one.usage == END_ENTITY and one.names(some[0]) for one in self.records):
                return ""
            return self._fault_of_anchors(some)
        except ValueError:
            return "the host's certificate cannot be read"

    def _fault_of_anchors(self, chain: Sequence[bytes]) -> str:
        fault = "no TLSA record names the certificate that the host shows"
        wanted = [one for one in self.records if one.usage == TRUST_ANCHOR]
        anchors = [der for der in chain[1:] if any(one.names(der) for one in wanted)]
        for anchor in anchors:
            for host in self.hosts:
                if not (fault := _chain_fault(anchor, chain, host, self.at)):
                    return ""
        return fault


def read_tlsa(values: Iterable[str]) -> tuple[TlsaRecord, ...]:
    """Read records as in a zone file. Those that cannot be read are left out."""
    found = []
    for value in values:
        words = value.split()
        try:
            usage, selector, matching = map(int, words[:_NUMBERS])
            data = bytes.fromhex("".join(words[_NUMBERS:]))
        except ValueError:
            continue
        found.append(TlsaRecord(usage, selector, matching, data))
    return tuple(found)


def _key_of(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _chain_fault(anchor: bytes, chain: Sequence[bytes], host: str, at: float) -> str:
    """Verify a chain from its end in an anchor; return why it is not accepted, "" if it is."""
    certificates = [x509.load_der_x509_certificate(one) for one in chain]
    fault = chain_fault([x509.load_der_x509_certificate(anchor)], certificates, host, at)
    return f"the chain from its TLSA record is not valid: {fault}" if fault else ""
