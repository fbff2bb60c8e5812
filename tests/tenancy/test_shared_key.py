"""A server among others has their key, or finds out at its start."""

from dataclasses import replace

import pytest

from restante.tenancy.model import (
    AuthorizedHosts,
    Destination,
    DestinationLogin,
    Directory,
    HostedDomain,
    Login,
)
from restante.tenancy.notice import Channel
from restante.tenancy.sealed_secrets import (
    Vault,
    channel_owner,
    destination_owner,
    login_owner,
    verifier_owner,
)
from restante.tenancy.shared_key import has_shared_key

OURS, THEIRS = Vault(bytes(32)), Vault(bytes([1]) * 32)
PLAIN = Login(user="ann", account="alpha", password_hash="x", sealed_secret=None, created_at=0.0)


def sealed_by(vault: Vault, kind: str) -> Directory:
    """Return records with one secret of a kind."""
    match kind:
        case "secret":
            login = replace(PLAIN, sealed_secret=vault.seal("s", login_owner("ann")))
        case "verifier":
            login = replace(PLAIN, sealed_verifier=vault.seal("s", verifier_owner("ann")))
        case "destination":
            known = DestinationLogin("ann", vault.seal("s", destination_owner("alpha.example")))
            place = Destination("192.0.2.1", login=known)
            domain = HostedDomain(1, "alpha.example", "alpha", place, AuthorizedHosts(), 0.0)
            return Directory(domains={domain.name: domain})
        case _:
            sealed = vault.seal("s", channel_owner("alpha", "ops"))
            channel = Channel(
                1, "alpha", "ops", "webhook", "https://x", sealed, frozenset(), created_at=0.0
            )
            return Directory(channels={1: channel})
    return Directory(logins={"ann": login})


@pytest.mark.parametrize("kind", ["secret", "verifier", "destination", "channel"])
def test_a_key_that_opens_no_stored_secret_is_foreign(kind: str) -> None:
    assert has_shared_key(OURS, sealed_by(OURS, kind))
    assert not has_shared_key(OURS, sealed_by(THEIRS, kind))


def test_without_a_secret_each_key_will_do() -> None:
    assert has_shared_key(OURS, Directory(logins={"ann": PLAIN}))


def test_one_damaged_secret_does_not_make_a_key_foreign() -> None:
    login = replace(PLAIN, sealed_secret=OURS.seal("s", login_owner("ann")))
    logins = {"bob": replace(PLAIN, user="bob", sealed_secret=b"damaged"), "ann": login}
    assert has_shared_key(OURS, Directory(logins=logins))
