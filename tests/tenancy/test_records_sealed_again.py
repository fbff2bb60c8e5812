"""The same secret gets the same octets, and a present seal stays as it is."""

from dataclasses import replace

from restante.tenancy.model import AuthorizedHosts, Destination, DestinationLogin, HostedDomain
from restante.tenancy.notice import Channel
from restante.tenancy.records_sealed_again import (
    change_sealed_again,
    channel_sealed_again,
    domain_sealed_again,
)
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from restante.tenancy.sealed_secrets import Vault, channel_owner, destination_owner

OLD, NEW = bytes(32), b"\1" * 32
BOTH = Vault(NEW + OLD)
PLACE = Destination(
    "mail.example",
    login=DestinationLogin("mx", Vault(OLD).seal("p", destination_owner("alpha.example"))),
)
DOMAIN = HostedDomain(1, "alpha.example", "alpha", PLACE, AuthorizedHosts(), 0.0)
CHANGE = ScheduledChange(1, 1, DOMAIN.name, "alpha", ChangeMaker("ann", ""), 0.0, 1.0)


def test_a_change_finds_the_destination_as_it_was() -> None:
    waiting = replace(CHANGE, destination=PartReplacement(PLACE, Destination("other.example")))
    again = change_sealed_again(BOTH, waiting)
    assert again.destination is not None
    assert again.destination.former == domain_sealed_again(BOTH, DOMAIN).destination != PLACE
    assert again.destination.wanted == Destination("other.example")
    assert change_sealed_again(BOTH, again) == again
    assert change_sealed_again(BOTH, CHANGE) is CHANGE


def test_a_secret_under_the_present_key_stays_as_it_is() -> None:
    sealed = BOTH.seal("url", channel_owner("alpha", "ops"))
    channel = Channel(1, "alpha", "ops", "webhook", "https://x", sealed, frozenset(), 0.0)
    assert channel_sealed_again(BOTH, channel) == channel
    mail = replace(channel, sealed=None)
    assert channel_sealed_again(BOTH, mail) == mail
