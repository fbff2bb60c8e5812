"""First-time mail is deferred while the primary is up, for domains that want it."""

from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest

from restante.checks.check import ExaminedRecipient
from restante.checks.greylist_check import GreylistCheck, network_of
from restante.checks.greylist_memory import DELAY
from restante.checks.hygiene_settings import HygieneSettings
from restante.checks.verdict import PASSED, CheckRefused, CheckVerdict
from restante.mail.address import Mailbox
from restante.tenancy.policy import HygienePolicy
from tests.checks.signs import STRANGER, facts

SENDER = Mailbox("s", "b.example")
WANTED = facts(HygienePolicy.DEFER, reverse_path=SENDER)


@dataclass
class Scene:
    """A check whose primary and clock the test sets."""

    is_up: bool = True
    is_on: bool = True
    now: float = 1000.0
    check: GreylistCheck = field(init=False)

    def __post_init__(self) -> None:
        self.check = GreylistCheck(
            lambda: HygieneSettings(greylist=self.is_on), lambda _: self.is_up, lambda: self.now
        )

    def verdict(self, examined: ExaminedRecipient = WANTED) -> CheckVerdict:
        return self.check.recipient(examined)


def test_new_mail_gets_450_and_passes_when_it_comes_again() -> None:
    scene = Scene()
    first = scene.verdict()
    assert isinstance(first, CheckRefused)
    assert str(first.reply) == "450 4.7.1 Greylisted, try again in 5 minutes"
    scene.now += DELAY
    neighbor = STRANGER._replace(address=ip_address("192.0.2.200"))
    assert scene.verdict(WANTED._replace(client=neighbor)) is PASSED, "another host of its network"


@pytest.mark.parametrize(
    "examined",
    [
        facts(HygienePolicy.MARK, reverse_path=SENDER),
        facts(HygienePolicy.OFF, reverse_path=SENDER),
        facts(HygienePolicy.DEFER),  # a server may ask whether an address exists
        WANTED._replace(client=STRANGER._replace(is_authenticated=True)),
        WANTED._replace(client=STRANGER._replace(address=ip_address("198.51.100.1"))),
    ],
    ids=["mark", "off", "null reverse-path", "authenticated", "authorized host"],
)
def test_other_mail_is_taken(examined: ExaminedRecipient) -> None:
    assert Scene().verdict(examined) is PASSED


def test_all_mail_is_taken_while_the_primary_is_not_seen_up() -> None:
    scene = Scene(is_up=False)
    assert scene.verdict() is PASSED
    scene.is_up = True
    assert isinstance(scene.verdict(), CheckRefused)
    scene.is_up = False
    assert scene.verdict() is PASSED, "it went away: this is the mail that we exist for"


def test_by_default_nothing_is_deferred() -> None:
    assert not HygieneSettings().greylist
    assert Scene(is_on=False).verdict() is PASSED


@pytest.mark.parametrize("is_on", [True, False])
def test_sessions_have_it_where_the_settings_do(is_on: bool) -> None:
    assert Scene(is_on=is_on).check.is_on == is_on


def test_sender_and_recipient_tell_mail_apart() -> None:
    scene = Scene()
    scene.verdict()
    scene.now += DELAY
    for other in (
        replace_path(WANTED, Mailbox("two", "a.example")),
        facts(HygienePolicy.DEFER, reverse_path=Mailbox("t", "b.example")),
    ):
        assert isinstance(scene.verdict(other), CheckRefused)


def replace_path(examined: ExaminedRecipient, path: Mailbox) -> ExaminedRecipient:
    return examined._replace(path=path, domain=replace(examined.domain))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.255", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_networks(one: str, other: str, is_same: bool) -> None:
    assert (network_of(ip_address(one)) == network_of(ip_address(other))) is is_same
