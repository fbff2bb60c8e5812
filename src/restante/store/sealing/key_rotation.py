"""The data keys and the waiting reports of a store, sealed under the first key of the key file.

Held content stays as it is. Only the keys that open it are sealed again, a small row for each
domain. Reports have no data key, so their content is.
"""

from contextlib import suppress
from typing import Final

from restante.phrases import WRONG_KEY_FILE
from restante.store.key_store import KeyStore
from restante.store.report_store import ReportStore
from restante.store.sealing.report_seals import ReportSeals
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import SealBroken, Vault, data_key_owner

_SLICE: Final = 500
_REPORTS_AT_ONCE: Final = 50  # each with a header of somebody's mail


async def seal_keys_again(keys: KeyStore, vault: Vault) -> int:
    """Seal all data keys under the present key; return how many. Raises StoreError.

    Each slice is a transaction, and every key opens before and after it. So an interrupted run is
    completed by the next one.
    """
    count = after = 0
    while found := await keys.data_keys_after(after, _SLICE):
        again = {}
        for domain_id, copies in found.items():
            owner = data_key_owner(domain_id)
            if not vault.is_current(copies[0], owner):
                again[domain_id] = (copies[0], vault.seal(_opened(vault, copies, owner), owner))
        count += await keys.replace_data_keys(again)
        after = max(found)
    return count


async def seal_reports_again(reports: ReportStore, vault: Vault) -> int:
    """Seal all sealed reports under the present key; return how many. Raises StoreError.

    A slice is a transaction, as above. A report that is damaged stays as it is: it does not open.
    """
    seals = ReportSeals(vault)
    count = after = 0
    while found := await reports.sealed_reports(after, _REPORTS_AT_ONCE):
        again = {}
        for report in found:
            if not seals.has_key_of(report):
                remedy = "restore the file from your copy, or drop the report"
                raise StoreMismatched(f"report {report.number} {WRONG_KEY_FILE}; {remedy}")
            with suppress(SealBroken):
                again[report.number] = (report.content, seals.sealed_again(report))
        changed = {number: both for number, both in again.items() if both[0] != both[1]}
        if changed:
            count += await reports.replace_report_contents(changed)
        after = found[-1].number
    return count


async def seal_plain_reports(reports: ReportStore, vault: Vault) -> int:
    """Seal the reports that waited before sealing began; return how many. Raises StoreError."""
    seals = ReportSeals(vault)
    count = after = 0
    while found := await reports.plain_reports(after, _REPORTS_AT_ONCE):
        sealed = {one.number: (one.content, seals.sealed_content(one)) for one in found}
        count += await reports.replace_report_contents(sealed)
        after = found[-1].number
    return count


def _opened(vault: Vault, copies: tuple[bytes, ...], owner: str) -> str:
    for copy in copies:
        try:
            return vault.open(copy, owner)
        except SealBroken:
            continue
    raise StoreMismatched(f"the key for the {owner} {WRONG_KEY_FILE}")
