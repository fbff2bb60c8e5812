"""The data keys of domains, opened with the key file and kept in memory."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.phrases import MAIL_OF_ANOTHER_KEY
from restante.store.key_store import KeyStore, SealedKeys
from restante.store.sealing.sealed_form import new_key
from restante.store.store_errors import StoreError, StoreMismatched
from restante.tenancy.sealed_secrets import SealBroken, Vault, data_key_owner

_TRIED: Final = 100  # keys at the start


class KeyRing:
    """Gives the keys of domains, and makes them. One for all parts of a store.

    A removed domain's key is erased in the store. Here it stays until the process ends: the id is
    never given out again.
    """

    def __init__(self, keys: KeyStore, vault: Vault) -> None:
        self._keys = keys
        self._vault = vault
        self._opened: dict[int, AESGCM] = {}

    async def check(self) -> bool:
        """Tell whether there are data keys, of which the key file opens one.

        Raises StoreMismatched where it opens none of the first.
        """
        sealed = await self._keys.data_keys_after(0, _TRIED)
        if sealed and not self._take(sealed):
            raise StoreMismatched(MAIL_OF_ANOTHER_KEY)
        return bool(sealed)

    async def for_opening(self, domain_ids: Collection[int]) -> Mapping[int, AESGCM]:
        """Return the keys of these domains, of those that have one.

        Raises StoreError where the key file does not open one: nothing is damaged then.
        """
        missing = [one for one in domain_ids if one not in self._opened]
        if missing:
            sealed = await self._keys.data_keys(missing)
            self._take(sealed)
            for domain_id in sealed:
                if domain_id not in self._opened:
                    raise StoreError(f"the data key of domain {domain_id}: {MAIL_OF_ANOTHER_KEY}")
        return self._opened

    async def for_sealing(self, domain_ids: Collection[int]) -> Mapping[int, AESGCM]:
        """Return the keys of these domains; new ones are durable. Raises StoreError.

        A domain that was removed meanwhile gets one that nobody keeps.
        """
        opened = await self.for_opening(domain_ids)
        missing = [one for one in domain_ids if one not in opened]
        if not missing:
            return opened
        await self._keys.keep_data_keys(
            {one: self._vault.seal(new_key().hex(), data_key_owner(one)) for one in missing}
        )
        kept = await self.for_opening(missing)
        unkept = {one: AESGCM(new_key()) for one in missing if one not in kept}
        return {**kept, **unkept} if unkept else kept

    def _take(self, sealed: SealedKeys) -> bool:
        """Open what can be opened; tell whether anything could."""
        is_any_opened = False
        for domain_id, copies in sealed.items():
            if (key := opened_data_key(self._vault, domain_id, copies)) is not None:
                self._opened[domain_id] = key
                is_any_opened = True
        return is_any_opened


def opened_data_key(vault: Vault, domain_id: int, copies: Sequence[bytes]) -> AESGCM | None:
    """Open the first copy of a domain's key that can be opened; None if none can."""
    for copy in copies:
        with suppress(SealBroken):
            return AESGCM(bytes.fromhex(vault.open(copy, data_key_owner(domain_id))))
    return None
