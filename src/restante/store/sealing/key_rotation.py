"""The data keys of a store, sealed under the first key of the key file.

Content stays as it is. Only the keys that open it are sealed again, a small row for each domain.
"""

from typing import Final

from restante.phrases import WRONG_KEY_FILE
from restante.store.key_store import KeyStore
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import SealBroken, Vault, data_key_owner

_SLICE: Final = 500


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


def _opened(vault: Vault, copies: tuple[bytes, ...], owner: str) -> str:
    for copy in copies:
        try:
            return vault.open(copy, owner)
        except SealBroken:
            continue
    raise StoreMismatched(f"the key for the {owner} {WRONG_KEY_FILE}")
