"""Whether a server has the key of the other servers that share its store. Pure.

With another key it could read no stored secret, and would seal new ones that nobody else can read.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from restante.tenancy.model import Directory
from restante.tenancy.sealed_secrets import (
    SealBroken,
    Vault,
    channel_owner,
    destination_owner,
    login_owner,
    verifier_owner,
)

_TRIED: Final = 100  # secrets: one may be damaged, or older than the key, and all are not


def has_shared_key(vault: Vault, directory: Directory) -> bool:
    """Tell whether a key opens a stored secret, or there is none."""
    has_secrets = False
    for sealed, owner in islice(_secrets(directory), _TRIED):
        has_secrets = True
        try:
            vault.open(sealed, owner)
        except SealBroken:
            continue
        return True
    return not has_secrets


def _secrets(directory: Directory) -> Iterator[tuple[bytes, str]]:
    """Yield sealed secrets with their owners."""
    for login in directory.logins.values():
        if login.sealed_verifier is not None:
            yield login.sealed_verifier, verifier_owner(login.user)
        elif login.sealed_secret is not None:
            yield login.sealed_secret, login_owner(login.user)
    for domain in directory.domains.values():
        if (known := domain.destination.login) is not None:
            yield known.sealed_password, destination_owner(domain.name)
    for channel in directory.channels.values():
        if channel.sealed is not None:
            yield channel.sealed, channel_owner(channel.account, channel.name)
