"""The audit trail of a change: each field that differs, and never a secret."""

from dataclasses import replace
from typing import Final

import pytest

from restante.tenancy.login_certificate import LoginCertificate
from restante.tenancy.model import (
    Destination,
    DestinationLogin,
    HostedDomain,
    Login,
    parse_authorized_hosts,
)
from restante.tenancy.policy import HoldPolicy, Policy, Retention, Suspension
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from restante.tenancy.quota import Quota
from restante.tenancy.record_change import (
    MAX_VALUE_LENGTH,
    Change,
    changes_between,
    listed_text,
    readable_change,
)

DOMAIN: Final = HostedDomain(
    7,
    "alpha.example",
    "alpha",
    Destination("192.0.2.1"),
    parse_authorized_hosts(["192.0.2.0/24"]),
    1.0,
)
LOGIN: Final = Login("primary", "alpha", "$argon2id$secret", b"sealed", 1.0, b"sealed too")


def test_nothing_changed_is_nothing() -> None:
    assert changes_between(DOMAIN, replace(DOMAIN, id=8, created_at=2.0)) == ()


def test_each_field_that_differs_has_its_old_and_its_new_value() -> None:
    policy = Policy(
        hold=HoldPolicy.ON_RETURN,
        quota=Quota(octets=1000),
        suspension=Suspension("unpaid", until=0.0),
    )
    hosts = parse_authorized_hosts(["192.0.2.0/24", "mail.alpha.example"])
    changed = replace(
        DOMAIN, destination=Destination("192.0.2.9", 2525), authorized_hosts=hosts, policy=policy
    )
    assert changes_between(DOMAIN, changed) == (
        Change("destination.host", "192.0.2.1", "192.0.2.9"),
        Change("destination.port", "25", "2525"),
        Change("authorized_hosts", "192.0.2.0/24", "192.0.2.0/24, mail.alpha.example"),
        Change("policy.hold", "until-asked", "on-return"),
        Change("policy.suspension.reason", "none", "unpaid"),
        Change("policy.suspension.until", "none", "1970-01-01T00:00:00+00:00"),
        Change("policy.suspension.mail", "none", "accept"),
        Change("policy.quota.octets", "none", "1000"),
    )


def test_a_record_that_comes_or_goes_has_all_its_values() -> None:
    added, removed = changes_between(None, LOGIN), changes_between(LOGIN, None)
    assert added == (
        Change("user", "none", "primary"),
        Change("account", "none", "alpha"),
        Change("password", "none", "set"),
        Change("sealed password", "none", "set"),
        Change("SCRAM verifier", "none", "set"),
        Change("turnaround", "none", "no"),
    )
    assert [(one.field, one.after, one.before) for one in removed] == [
        (one.field, one.before, one.after) for one in added
    ]


def test_a_secret_is_never_shown() -> None:
    changed = replace(
        LOGIN, password_hash="$argon2id$other", sealed_secret=b"other", sealed_verifier=b"other"
    )
    fields = ("password", "sealed password", "SCRAM verifier")
    assert changes_between(LOGIN, changed) == tuple(
        Change(field, "set", "replaced") for field in fields
    )
    assert changes_between(LOGIN, replace(LOGIN, sealed_secret=None)) == (
        Change("sealed password", "set", "none"),
    )
    with_login = replace(
        DOMAIN, destination=Destination("192.0.2.1", login=DestinationLogin("u", b"secret"))
    )
    assert "secret" not in repr(changes_between(DOMAIN, with_login)).replace("sealed_password", "")


def test_a_certificate_is_shown_by_its_subject_and_key() -> None:
    certificate = LoginCertificate("PEM", "ab" * 32, "CN=primary", 9.0)
    [change] = changes_between(LOGIN, replace(LOGIN, certificates=(certificate,)))
    assert (change.field, change.before) == ("certificates", "none")
    assert change.after == f"CN=primary (key {'ab' * 32})"


def test_a_long_list_is_cut_and_counted() -> None:
    names = [f"user{number}" for number in range(200)]
    text = listed_text(names)
    assert text.startswith("user0, user1, ")
    assert text.endswith("… (200 in all)")
    assert len(text) < MAX_VALUE_LENGTH + 20
    assert listed_text([]) == "none"


def test_spans_and_sizes_are_shown_as_commands_take_them() -> None:
    policy = Policy(
        retention=Retention(seconds=2_592_000.0), quota=Quota(octets=10 << 30), drill_every=86_400.0
    )
    shorter = replace(policy, retention=Retention(seconds=5400.0), quota=Quota(octets=1500))
    shorter = replace(shorter, drill_every=None)
    assert changes_between(replace(DOMAIN, policy=policy), replace(DOMAIN, policy=shorter)) == (
        Change("policy.quota.octets", "10G", "1500"),
        Change("policy.retention.seconds", "30d", "90m"),
        Change("policy.drill_every", "1d", "none"),
    )


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        (Change("policy.retention.seconds", "2592000.0", "none"), ("30d", "none")),
        (Change("policy.retention.seconds", "30d", "5400.0"), ("30d", "90m")),
        (Change("policy.drill_every", "none", "2592000.0"), ("none", "30d")),
        (Change("policy.message_octets", "none", "52428800"), ("none", "50M")),
        (Change("policy.quota.messages", "3600", "60"), ("3600", "60")),
    ],
)
def test_an_entry_of_an_earlier_version_is_read_likewise(
    recorded: Change, shown: tuple[str, str]
) -> None:
    now = readable_change(recorded)
    assert (now.field, now.before, now.after) == (recorded.field, *shown)


def test_passkeys_are_shown_by_their_keys_and_their_names_not_at_all() -> None:
    user = PortalUser("ana@alpha.example", "alpha", frozenset(), "root", created_at=1.0)
    phone = PortalPasskey(b"credential", "Ana's phone", 1, 5.0)
    has_one = user.changed(passkeys=(phone,))
    used = has_one.changed(passkeys=(replace(phone, sign_count=2, used_at=9.0),))
    renamed = has_one.changed(passkeys=(replace(phone, name="Ana's new phone"),))
    assert changes_between(has_one, used) == ()
    assert changes_between(user, has_one) == (
        Change("passkeys", "none", phone.key),
        Change("names of passkeys", "none", "set"),
    )
    assert changes_between(has_one, renamed) == (Change("names of passkeys", "set", "replaced"),)
