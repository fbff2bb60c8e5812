"""The argument of ETRN: its three forms, and the hosted domains that it covers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.etrn_target import EtrnTarget, EtrnTargetKind, parse_etrn_target
from restante.tenancy.model import AuthorizedHosts, Destination, Directory, HostedDomain

DOMAIN, SUBTREE, ACCOUNT = EtrnTargetKind


def directory(**account_by_name: str) -> Directory:
    """Return a directory of domains; `_` stands for a dot in their names."""
    domains = {}
    for number, (spelled, account) in enumerate(account_by_name.items()):
        name = spelled.replace("_", ".")
        domains[name] = HostedDomain(
            number, name, account, Destination("192.0.2.1"), AuthorizedHosts(), 0.0
        )
    return Directory(domains=domains)


@pytest.mark.parametrize(
    ("argument", "kind", "key", "text"),
    [
        ("foo.example", DOMAIN, "foo.example", "foo.example"),
        ("Foo.Example.", DOMAIN, "foo.example", "Foo.Example."),
        ("bücher.example", DOMAIN, "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("@foo.example", SUBTREE, "foo.example", "@foo.example"),
        ("@bücher.example", SUBTREE, "xn--bcher-kva.example", "@xn--bcher-kva.example"),
        ("#Alpha-1._", ACCOUNT, "alpha-1._", "#Alpha-1._"),
    ],
)
def test_an_argument_is_read(argument: str, kind: EtrnTargetKind, key: str, text: str) -> None:
    assert parse_etrn_target(argument) == EtrnTarget(kind, key, text)


@pytest.mark.parametrize(
    "argument",
    ["", "@", "#", "#al pha", "#älpha", "#a@b", "@@foo.example", "foo bar", "@192.0.2.1", "*"],
)
def test_other_text_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match=r"not a domain name|not an account's name"):
        parse_etrn_target(argument)


@given(st.text(max_size=20))
def test_any_argument_is_read_or_refused_and_is_shown_in_ascii(argument: str) -> None:
    try:
        target = parse_etrn_target(argument)
    except ValueError:
        return
    assert target.text.isascii()
    assert parse_etrn_target(target.text) == target


@pytest.mark.parametrize(
    ("argument", "covered"),
    [
        ("foo.com", ["foo.com"]),
        ("com", []),
        ("@foo.com", ["a.foo.com", "b.a.foo.com", "foo.com"]),
        ("@a.foo.com", ["a.foo.com", "b.a.foo.com"]),
        ("@com", ["a.foo.com", "b.a.foo.com", "barfoo.com", "foo.com"]),
        ("@oo.com", []),
        ("#one", ["barfoo.com", "foo.com"]),
        ("#ONE", ["barfoo.com", "foo.com"]),
        ("#three", []),
    ],
)
def test_it_covers_domains_by_whole_labels(argument: str, covered: list[str]) -> None:
    hosted = directory(foo_com="one", b_a_foo_com="two", a_foo_com="two", barfoo_com="one")
    target = parse_etrn_target(argument)
    assert [domain.name for domain in target.hosted(hosted)] == covered
    assert sorted(name for name, one in hosted.domains.items() if target.covers(one)) == covered
