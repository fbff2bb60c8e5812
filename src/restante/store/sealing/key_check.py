"""Whether a key file is the one of a store that is not opened.

At its start, a server tries the first rows only (`sealed_store`): one that opens is enough. Here
each data key is tried, because the mail of a domain is lost with its key.
"""

from restante.phrases import MAIL_OF_ANOTHER_KEY, SECRETS_OF_ANOTHER_KEY, WRONG_KEY_FILE
from restante.store.sealing.key_ring import opened_data_key
from restante.store.sealing.report_seals import ReportSeals
from restante.store.store_care import SealedRows, StoreFinding
from restante.tenancy.sealed_secrets import Vault
from restante.tenancy.shared_key import has_shared_key

KEY_FINDING = "key"


def check_key(sealed: SealedRows, vault: Vault, *, key_file: str) -> list[StoreFinding]:
    """Return what the key file does not open. Blocks for some microseconds for each domain.

    If it opens no data key, or there is none and it opens no report, no server starts with it.
    """
    lost = [
        domain_id
        for domain_id, copies in sealed.data_keys.items()
        if opened_data_key(vault, domain_id, copies) is None
    ]
    is_any_opened = len(lost) < len(sealed.data_keys)
    if is_any_opened:
        found = [_of_domain(one, sealed) for one in lost]
    elif lost or _has_strange_reports(sealed, vault):
        return [StoreFinding(KEY_FINDING, f"{key_file}: {MAIL_OF_ANOTHER_KEY}")]
    else:
        found = []
    if not has_shared_key(vault, sealed.directory):
        found.append(f"{key_file}: {SECRETS_OF_ANOTHER_KEY}")
    return [StoreFinding(KEY_FINDING, text) for text in found]


def _of_domain(domain_id: int, sealed: SealedRows) -> str:
    names = {domain.id: name for name, domain in sealed.directory.domains.items()}
    remedy = "use a key file that has its former keys, or a copy of the store"
    return f"the data key of domain {names.get(domain_id, domain_id)} {WRONG_KEY_FILE}; {remedy}"


def _has_strange_reports(sealed: SealedRows, vault: Vault) -> bool:
    """Tell whether reports wait of which the key file opens none."""
    seals = ReportSeals(vault)
    return bool(sealed.reports) and not any(map(seals.has_key_of, sealed.reports))
