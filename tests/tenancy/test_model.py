"""The records of an operator, and the directory that answers commands from them."""

from ipaddress import ip_network

import pytest

from restante.tenancy.model import (
    AuthorizedHosts,
    Destination,
    Directory,
    HostedDomain,
    Login,
    parse_authorized_hosts,
)
from restante.tenancy.notice import Channel, NoticeFacts, NoticeKind
from restante.tenancy.portal_user import PortalPasskey, PortalUser


def domain(number: int, name: str, account: str, destination: Destination) -> HostedDomain:
    return HostedDomain(number, name, account, destination, AuthorizedHosts(), 0.0)


def channel(number: int, account: str, name: str, *, all_accounts: bool = False) -> Channel:
    kinds = frozenset({NoticeKind.PRIMARY_AWAY})
    return Channel(number, account, name, "mail", "x@y.example", None, kinds, 0.0, all_accounts)


SLOW, FAST = Destination("2001:db8::1", 2525, per_minute=10), Destination("mx.example")
DIRECTORY = Directory(
    domains={
        "c.example": domain(1, "c.example", "alpha", SLOW),
        "a.example": domain(2, "a.example", "alpha", FAST),
        "b.example": domain(3, "b.example", "beta", Destination("2001:db8::1", 2525)),
        "d.example": domain(4, "d.example", "beta", Destination("2001:db8::1", 2525, per_minute=5)),
    },
    logins={user: Login(user, "alpha", "", None, 0.0) for user in ("zoe", "anna")},
    channels={
        1: channel(1, "alpha", "post"),
        2: channel(2, "", "post"),
        3: channel(3, "", "all", all_accounts=True),
        4: channel(4, "beta", "post", all_accounts=True),
    },
)


@pytest.mark.parametrize(
    ("destination", "text"), [(FAST, "mx.example:25"), (SLOW, "[2001:db8::1]:2525")]
)
def test_a_destination_is_known_by_host_and_port(destination: Destination, text: str) -> None:
    assert destination.text == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::/0", "::/0"),
        ("MX.Example.", "mx.example"),
    ],
)
def test_an_authorized_host_has_one_spelling(written: str, shown: str) -> None:
    hosts = parse_authorized_hosts([written])
    assert hosts.texts == (shown,)
    assert parse_authorized_hosts(hosts.texts) == hosts


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("192.0.2.1/24", r"is it 192.0.2.1 or 192.0.2.0/24\?"),
        ("2001:db8::1/32", r"is it 2001:db8::1 or 2001:db8::/32\?"),
        ("192.0.2.256", "not an address"),
        ("2001:db8::g", "not a domain name"),
        ("2001:db8:::1", "not an address"),
        ("192.0.2.0/33", "not a network"),
        ("*.example", "not a domain name"),
        ("", "not a domain name"),
    ],
)
def test_other_text_is_no_authorized_host(written: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        parse_authorized_hosts(["192.0.2.1", written])


def test_addresses_and_names_keep_their_order() -> None:
    hosts = parse_authorized_hosts(["b.example", "192.0.2.2", "a.example", "192.0.2.1"])
    assert hosts == AuthorizedHosts(
        (ip_network("192.0.2.2"), ip_network("192.0.2.1")), ("b.example", "a.example")
    )


@pytest.mark.parametrize(
    ("secret", "verifier", "can"),
    [(None, None, False), (b"x", None, True), (None, b"x", True)],
)
def test_a_login_can_use_scram_by_its_secret_or_its_verifier(
    secret: bytes | None, verifier: bytes | None, *, can: bool
) -> None:
    assert Login("anna", "alpha", "", secret, 0.0, verifier).can_use_scram is can


def test_records_of_an_account_are_sorted_and_of_no_other() -> None:
    assert [one.name for one in DIRECTORY.domains_of("alpha")] == ["a.example", "c.example"]
    assert [one.user for one in DIRECTORY.logins_of("alpha")] == ["anna", "zoe"]
    assert [one.id for one in DIRECTORY.channels_of("alpha")] == [1]
    for find in (DIRECTORY.domains_of, DIRECTORY.logins_of, DIRECTORY.channels_of):
        assert list(find("gamma")) == []


def test_a_channel_is_found_by_account_and_name() -> None:
    found = [DIRECTORY.channel(account, "post") for account in ("alpha", "", "beta", "gamma")]
    assert [one and one.id for one in found] == [1, 2, 4, None]


@pytest.mark.parametrize(
    ("account", "ids"),
    [("alpha", [1, 3]), ("beta", [4, 3]), ("gamma", [3]), ("", [2, 3])],
)
def test_no_account_receives_notices_of_another(account: str, ids: list[int]) -> None:
    facts = NoticeFacts(NoticeKind.PRIMARY_AWAY, account, "x", "x", 0.0)
    assert [one.id for one in DIRECTORY.hearers(facts)] == ids


def test_a_domain_is_found_by_its_number() -> None:
    found = DIRECTORY.domain_by_id(3)
    assert found is DIRECTORY.domains["b.example"]
    assert DIRECTORY.domain_by_id(5) is None


def test_the_lowest_rate_of_its_domains_limits_a_destination() -> None:
    assert DIRECTORY.per_minute("[2001:db8::1]:2525") == 5
    assert DIRECTORY.per_minute("mx.example:25") is None
    assert Directory().per_minute("mx.example:25") is None


def test_indexes_that_are_made_early_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Directory(domains=DIRECTORY.domains)
    made.make_indexes()
    monkeypatch.setattr("restante.tenancy.model._grouped", None)
    assert len(list(made.domains_of("alpha"))) == 2
    assert made.domain_by_id(1) is DIRECTORY.domains["c.example"]


def test_a_passkey_and_an_identity_lead_to_their_user() -> None:
    passkey = PortalPasskey(bytes(16) + b"\0\3keyCBOR", "phone", 0, 1.0)
    ana = PortalUser("ana@x.example", "x", frozenset(), "", 1.0, passkeys=(passkey,))
    ben = PortalUser("ben@x.example", "x", frozenset(), "", 1.0, oidc_issuer="i", oidc_subject="7")
    found = Directory(portal_users={one.email: one for one in (ana, ben)})
    assert passkey.credential_id == b"key"
    assert found.passkey(b"key") == (ana, passkey)
    assert found.passkey(b"other") is None
    assert found.user_of_identity("i", "7") is ben
    for issuer, subject in (("j", "7"), ("i", "8"), ("i", ""), ("", "")):
        assert found.user_of_identity(issuer, subject) is None
