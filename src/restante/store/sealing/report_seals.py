"""The sealed form of reports that wait. Pure but for random nonces.

    version │ name of the key │ nonce │ AES-256-GCM( the content )

Reports outlive their domain, so its data key does not suit. Each key of the key file gives one key
for reports, by HMAC with a label of its own. The name tells which of them it is. Bound in are the
name, and the facts of the report that never change. So no row can have the content of a report to
another sender, or on another message. A report has no number yet when it is sealed.
"""

from dataclasses import replace
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.delivery_report import NewReport, Report
from restante.mail.sealed_size import REPORT_EXTRA
from restante.phrases import WRONG_KEY_FILE
from restante.tenancy.sealed_secrets import SealBroken, Vault

_VERSION: Final = b"\1"
_NAME: Final = 8
_NONCE: Final = 12
_NAME_END: Final = len(_VERSION) + _NAME
_NONCE_END: Final = _NAME_END + _NONCE


class ReportSeals:
    """Seals reports under the present key of the key file, and opens those of former ones too."""

    def __init__(self, vault: Vault) -> None:
        names = [name[:_NAME] for name in vault.constants("names of keys for reports")]
        ciphers = map(AESGCM, vault.constants("keys for reports"))
        self._ciphers = dict(zip(names, ciphers, strict=True))
        self._present = names[0]

    def sealed(self, report: NewReport) -> NewReport:
        """Return a report as it is stored."""
        return replace(report, content=self._seal(report, report.content), is_sealed=True)

    def opened(self, report: Report) -> Report:
        """Return a report as it was made. Raises SealBroken."""
        if not report.is_sealed:
            return report
        return replace(report, content=self._open(report), is_sealed=False)

    def sealed_content(self, report: Report) -> bytes:
        """Return the content of a plain report that is stored already, as it will be stored."""
        return self._seal(report, report.content)

    def sealed_again(self, report: Report) -> bytes:
        """Return the content of a stored report, sealed under the present key. Raises SealBroken.

        It is the same content where that is its key already.
        """
        if _name(report.content) == self._present:
            return report.content
        return self._seal(report, self._open(report))

    def has_key_of(self, report: Report) -> bool:
        """Tell whether a stored report was sealed under a key of the key file."""
        return _name(report.content) in self._ciphers

    def _seal(self, report: NewReport | Report, content: bytes) -> bytes:
        nonce, name = token_bytes(_NONCE), self._present
        sealed = self._ciphers[name].encrypt(nonce, content, _bound(report, name))
        return b"".join((_VERSION, name, nonce, sealed))

    def _open(self, report: Report) -> bytes:
        sealed = report.content
        if sealed[:1] != _VERSION or len(sealed) < REPORT_EXTRA:
            raise SealBroken("its content was sealed in a form that is not known")
        name = _name(sealed)
        if name not in self._ciphers:
            raise SealBroken(f"it {WRONG_KEY_FILE}")
        nonce = sealed[_NAME_END:_NONCE_END]
        try:
            return self._ciphers[name].decrypt(nonce, sealed[_NONCE_END:], _bound(report, name))
        except InvalidTag:
            raise SealBroken("its seal is broken") from None


def _name(sealed: bytes) -> bytes:
    return sealed[len(_VERSION) : _NAME_END]


def _bound(report: NewReport | Report, name: bytes) -> bytes:
    """The address comes last, so no two reports have the same octets here."""
    facts = (
        f"{report.about} {report.domain_id} {report.action} {report.is_8bit:d}"
        f"{report.needs_smtputf8:d} {report.reverse_path}"
    )
    return b"restante report 1 " + name + facts.encode()
