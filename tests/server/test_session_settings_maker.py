"""The settings of sessions by the configuration and the addresses that are bound."""

import ipaddress
from pathlib import Path

import pytest

from restante.config.listen_settings import Listen
from restante.config.load import load
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.mail.address import Mailbox
from restante.network.served_certificate import ServedCertificate
from restante.server.session_settings_maker import admission_settings, service_profile
from tests.config.files import installed


def config_with(tmp_path: Path, **reception: object) -> Config:
    config = load(installed(tmp_path), {})
    return config.model_copy(update={"reception": config.reception.model_copy(update=reception)})


@pytest.mark.parametrize(
    ("bound", "own"),
    [
        ([], []),
        ([("192.0.2.1", 25)], ["192.0.2.1"]),
        ([("192.0.2.1", 25), ("192.0.2.1", 465)], ["192.0.2.1"]),
        ([("0.0.0.0", 25), ("::", 25)], []),
        ([("::ffff:192.0.2.1", 25)], ["192.0.2.1"]),
        ([("2001:db8::1", 25)], ["2001:db8::1"]),
    ],
)
def test_own_addresses_are_those_bound_without_wildcards(
    bound: list[tuple[str, int]], own: list[str], tmp_path: Path
) -> None:
    settings = admission_settings(config_with(tmp_path), bound, ServerIdentity({}))
    assert settings.addresses == {ipaddress.ip_address(text) for text in own}


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [("", None), ("ops@ops.example", Mailbox("ops", "ops.example"))],
)
def test_the_mailbox_of_postmaster_is_optional(
    text: str, mailbox: Mailbox | None, tmp_path: Path
) -> None:
    config = config_with(tmp_path, postmaster=text)
    assert admission_settings(config, [], ServerIdentity({})).postmaster == mailbox


def test_the_names_of_the_default_certificate_are_ours_and_those_of_customers_are_not(
    tmp_path: Path,
) -> None:
    """A customer's certificate may name the primary too, which is not us."""
    config = config_with(tmp_path)
    default = ServedCertificate(("mx.other.example", "*.other.example"), 0.0)
    customer = ServedCertificate(("mx.customer.example", "mail.customer.example"), 0.0)
    identity = ServerIdentity({}, [default, customer])
    settings = admission_settings(config, [], identity)
    assert settings.hostname == config.hostname
    assert settings.names == {"mx2", "mx.other.example"}


@pytest.mark.parametrize(
    ("service", "turnaround", "takes_mail", "turns_around"),
    [
        ("mx", "odmr-only", True, False),
        ("smtps", "everywhere", True, True),
        ("odmr", "odmr-only", False, True),
        ("odmrs", "everywhere", False, True),
        ("odmr", "off", False, False),
    ],
)
def test_the_service_and_the_setting_decide_what_a_listener_is_for(
    service: str, turnaround: str, *, takes_mail: bool, turns_around: bool, tmp_path: Path
) -> None:
    config = load(installed(tmp_path), {})
    release = config.release.model_copy(update={"turnaround": turnaround})
    config = config.model_copy(update={"release": release})
    listen = Listen.model_validate({"service": service, "address": "127.0.0.1:0"})
    profile = service_profile(config, listen)
    assert (profile.takes_mail, profile.turns_around) == (takes_mail, turns_around)
