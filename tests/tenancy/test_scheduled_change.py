"""Which parts of a record wait, and whether a change still fits the record."""

from collections.abc import Sequence
from dataclasses import fields, replace

import pytest

from restante.tenancy.model import (
    ClientPassing,
    Destination,
    DestinationLogin,
    HostedDomain,
    TlsUse,
    parse_authorized_hosts,
)
from restante.tenancy.policy import HoldPolicy, Policy
from restante.tenancy.record_change import Change
from restante.tenancy.scheduled_change import (
    ChangeMaker,
    ScheduledChange,
    destination_change,
    direction,
    hosts_change,
    objection,
    with_change,
    without_scheduled_parts,
)

PRESENT = HostedDomain(
    3,
    "acme.example",
    "acme",
    Destination("mail.acme.example", connections=7, per_minute=60, may_be_private=True),
    parse_authorized_hosts(["192.0.2.1", "mx.acme.example"]),
    1.0,
)
LOGIN = DestinationLogin("mx", b"sealed")


def sent_to(**changed: object) -> HostedDomain:
    destination = replace(PRESENT.destination, **changed)  # type: ignore[arg-type]
    return replace(PRESENT, destination=destination)


def allowing(*hosts: str) -> HostedDomain:
    return replace(PRESENT, authorized_hosts=parse_authorized_hosts(hosts))


def scheduled(wanted: HostedDomain) -> ScheduledChange:
    return ScheduledChange(
        1,
        PRESENT.id,
        PRESENT.name,
        PRESENT.account,
        ChangeMaker("token ci (acme)", "192.0.2.9"),
        10.0,
        20.0,
        destination_change(PRESENT, wanted),
        hosts_change(PRESENT, wanted),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "other.example"),
        ("port", 26),
        ("tls", TlsUse.OFF),
        ("ca_file", "/etc/ca.pem"),
        ("ca_text", "PEM"),
        ("key_pins", ("ab",)),
        ("login", LOGIN),
        ("set_by", "acme"),
        ("client_address", ClientPassing.PROXY),
    ],
)
def test_a_change_of_where_or_how_mail_goes_waits(field: str, value: object) -> None:
    assert destination_change(PRESENT, sent_to(**{field: value})) is not None


@pytest.mark.parametrize(
    ("field", "value"), [("connections", 1), ("per_minute", None), ("may_be_private", None)]
)
def test_a_limit_of_the_operator_is_no_part(field: str, value: object) -> None:
    assert destination_change(PRESENT, sent_to(**{field: value})) is None


def test_each_field_of_a_destination_is_one_or_the_other() -> None:
    kept = {"connections", "per_minute", "may_be_private"}
    where = {"host", "port", "set_by"}
    how = {"tls", "ca_file", "ca_text", "key_pins", "login", "client_address"}
    assert {field.name for field in fields(Destination)} == kept | where | how


@pytest.mark.parametrize(
    ("hosts", "waits"),
    [
        (("192.0.2.1", "mx.acme.example"), False),
        (("mx.acme.example", "192.0.2.1"), False),
        (("192.0.2.1",), True),
        (("192.0.2.1", "mx.acme.example", "192.0.2.2"), True),
        ((), True),
    ],
    ids=["same", "another order", "one less", "one more", "none"],
)
def test_a_change_of_authorized_hosts_waits(hosts: Sequence[str], waits: bool) -> None:
    assert (hosts_change(PRESENT, allowing(*hosts)) is not None) is waits


def test_the_rest_of_a_change_does_not_wait() -> None:
    policy = Policy(hold=HoldPolicy.RELAY)
    wanted = replace(sent_to(host="other.example", connections=1), policy=policy)
    wanted = replace(wanted, authorized_hosts=parse_authorized_hosts(["192.0.2.7"]))
    rest = without_scheduled_parts(PRESENT, wanted)
    assert rest == replace(sent_to(connections=1), policy=policy)


def test_the_changes_show_no_secret() -> None:
    change = scheduled(sent_to(host="other.example", login=LOGIN))
    assert list(change.changes) == [
        Change("destination.host", "mail.acme.example", "other.example"),
        Change("destination.login.user", "none", "mx"),
        Change("destination.login.sealed_password", "none", "set"),
    ]
    assert change.parts_text == "destination"


def test_both_parts_are_named() -> None:
    both = replace(sent_to(port=26), authorized_hosts=parse_authorized_hosts([]))
    change = scheduled(both)
    assert change.parts_text == "destination and authorized hosts"
    assert list(change.changes) == [
        Change("destination.port", "25", "26"),
        Change("authorized_hosts", "192.0.2.1, mx.acme.example", "none"),
    ]


def test_a_change_replaces_its_parts_alone() -> None:
    change = scheduled(sent_to(host="other.example", set_by="acme"))
    now = replace(
        allowing("192.0.2.9"),
        destination=replace(PRESENT.destination, connections=2),
        policy=Policy(hold=HoldPolicy.RELAY),
    )
    assert objection(change, now) == ""
    assert with_change(change, now) == replace(
        now,
        destination=replace(
            PRESENT.destination,
            host="other.example",
            set_by="acme",
            connections=2,
            may_be_private=None,
        ),
    )


def test_a_leave_for_private_addresses_stays_with_its_host() -> None:
    change = scheduled(sent_to(tls=TlsUse.REQUIRED))
    assert with_change(change, PRESENT).destination.may_be_private is True


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (PRESENT, ""),
        (sent_to(connections=1), ""),
        (allowing("mx.acme.example", "192.0.2.1"), ""),
        (None, "the domain was removed"),
        (replace(PRESENT, id=4), "the domain was removed"),
        (replace(PRESENT, account="beta"), "the domain has moved to another account"),
        (sent_to(port=26), "the destination was changed meanwhile"),
        (allowing(), "the authorized hosts were changed meanwhile"),
    ],
    ids=["same", "limit", "order", "removed", "added again", "moved", "sent elsewhere", "hosts"],
)
def test_a_change_fits_only_the_record_that_it_was_made_from(
    now: HostedDomain | None, why: str
) -> None:
    wanted = replace(
        sent_to(host="other.example"), authorized_hosts=allowing("::1").authorized_hosts
    )
    assert objection(scheduled(wanted), now) == why


def test_the_same_wish_again_is_known() -> None:
    first, again = scheduled(sent_to(port=26)), scheduled(sent_to(port=26))
    assert first.wants_the_same(replace(again, id=0, made_at=11.0, applies_at=21.0))
    assert not first.wants_the_same(scheduled(sent_to(port=27)))


def test_a_direction_has_no_limits() -> None:
    assert direction(PRESENT.destination) == Destination("mail.acme.example")
