"""Records as they are after a rotation of the key file: secrets under the present key. Pure.

The same secret of the same owner gets the same octets. So a waiting change still finds the
destination as it was when the change was made. A secret that no key opens stays as it is.
"""

from dataclasses import replace

from restante.tenancy.model import Destination, HostedDomain, Login
from restante.tenancy.notice import Channel
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.scheduled_change import ScheduledChange
from restante.tenancy.sealed_secrets import (
    SealBroken,
    Vault,
    channel_owner,
    code_secret_owner,
    destination_owner,
    login_owner,
    verifier_owner,
)


def login_sealed_again(vault: Vault, login: Login) -> Login:
    """Return a login, with the password before a rotation of its own."""
    secret, verifier = login_owner(login.user), verifier_owner(login.user)
    prior = login.prior
    if prior is not None:
        prior = replace(
            prior,
            sealed_secret=_again(vault, prior.sealed_secret, secret),
            sealed_verifier=_again(vault, prior.sealed_verifier, verifier),
        )
    return replace(
        login,
        sealed_secret=_again(vault, login.sealed_secret, secret),
        sealed_verifier=_again(vault, login.sealed_verifier, verifier),
        prior=prior,
    )


def domain_sealed_again(vault: Vault, domain: HostedDomain) -> HostedDomain:
    """Return a domain, with the password for its destination."""
    again = _destination(vault, domain.name, domain.destination)
    return replace(domain, destination=again)


def change_sealed_again(vault: Vault, change: ScheduledChange) -> ScheduledChange:
    """Return a waiting change, with the passwords of both destinations."""
    place = change.destination
    if place is None:
        return change
    former = _destination(vault, change.domain, place.former)
    wanted = _destination(vault, change.domain, place.wanted)
    return replace(change, destination=replace(place, former=former, wanted=wanted))


def channel_sealed_again(vault: Vault, channel: Channel) -> Channel:
    """Return a notice channel."""
    owner = channel_owner(channel.account, channel.name)
    return replace(channel, sealed=_again(vault, channel.sealed, owner))


def user_sealed_again(vault: Vault, user: PortalUser) -> PortalUser:
    """Return a portal user, of the same revision."""
    sealed = _again(vault, user.sealed_totp, code_secret_owner(user.email))
    return replace(user, sealed_totp=sealed)


def _destination(vault: Vault, domain: str, destination: Destination) -> Destination:
    login = destination.login
    if login is None:
        return destination
    sealed = _again(vault, login.sealed_password, destination_owner(domain))
    return replace(destination, login=replace(login, sealed_password=sealed or b""))


def _again(vault: Vault, sealed: bytes | None, owner: str) -> bytes | None:
    if sealed is None or vault.is_current(sealed, owner):
        return sealed
    try:
        return vault.sealed_alike(vault.open(sealed, owner), owner)
    except SealBroken:
        return sealed
