"""Replies that all sessions of a listener share."""

import pytest

from restante.sasl.plain import PlainExchange
from restante.smtp.commands import Atrn, Bdat, Etrn, Hello, Mail, Quit
from restante.smtp.limits import SmtpLimits
from restante.smtp.server_options import ServerOptions, ServiceProfile


def options(*, can_start_tls: bool = True) -> ServerOptions:
    return ServerOptions(
        "mx2.example", SmtpLimits(message_octets=77), {"PLAIN": PlainExchange}, can_start_tls
    )


def test_replies_name_the_host() -> None:
    made = options()
    for reply in (made.greeting, made.hello, made.bye):
        assert "mx2.example" in str(reply)


@pytest.mark.parametrize("takes_mail", [False, True])
@pytest.mark.parametrize("turns_around", [False, True])
@pytest.mark.parametrize("has_tls", [False, True])
def test_help_names_what_a_listener_offers(
    *, takes_mail: bool, turns_around: bool, has_tls: bool
) -> None:
    profile = ServiceProfile(takes_mail=takes_mail, turns_around=turns_around)
    made = ServerOptions("mx2.example", SmtpLimits(), {}, can_start_tls=True, profile=profile)
    verbs = made.help(has_tls=has_tls).text.split()
    assert ("MAIL" in verbs) is takes_mail
    assert ("ATRN" in verbs) is (turns_around and has_tls)
    assert made.not_offered.isdisjoint({Etrn, Hello, Quit, Bdat})
    assert (Mail in made.not_offered) is not takes_mail
    assert (Atrn in made.not_offered) is not turns_around


@pytest.mark.parametrize("has_tls", [False, True])
@pytest.mark.parametrize("is_authenticated", [False, True])
@pytest.mark.parametrize("can_start_tls", [False, True])
def test_each_state_of_a_session_has_its_offer(
    *, has_tls: bool, is_authenticated: bool, can_start_tls: bool
) -> None:
    made = options(can_start_tls=can_start_tls)
    offer = made.offers(has_tls=has_tls, is_authenticated=is_authenticated)
    assert offer is made.offers(has_tls=has_tls, is_authenticated=is_authenticated)
    assert (offer.code, offer.text) == (250, "mx2.example")
    assert "SIZE 77" in offer.more
    assert ("STARTTLS" in offer.more) is (can_start_tls and not has_tls)
    assert ("AUTH PLAIN" in offer.more) is (has_tls and not is_authenticated)
    assert ("ETRN" in offer.more) is has_tls
