"""Mailboxes that a real Postfix took or refused in a drain are known when it is away."""

from __future__ import annotations

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

DOMAIN = "alpha.example"


def answers(restante: Installation, *names: str) -> list[str]:
    with Session(restante.mx) as session:
        session.say("MAIL FROM:<someone@sender.example>")
        return [session.say(f"RCPT TO:<{name}@{DOMAIN}>")[:9].decode() for name in names]


def test_what_a_drain_has_learned_answers_for_the_primary_while_it_is_away() -> None:
    names = ("there", "gone", "never-seen")
    rejects = {f"gone@{DOMAIN}": "550 5.1.1 no mailbox of that name"}
    with Installation() as restante, PostfixPrimary([DOMAIN], rejects=rejects) as primary:
        restante.start()
        restante.hosts(DOMAIN, at(primary), "--recipients", "learned")
        for name in ("there", "gone"):
            send(restante.mx, f"{name}@{DOMAIN}", content=message(f"to {name}"))
        primary.start()
        restante.do("release", DOMAIN)
        eventually(lambda: restante.events("drain-finished"), what="the drain to end")
        primary.stop()

        assert answers(restante, *names) == ["250 2.1.5", "550 5.1.1", "250 2.1.5"]
        restante.do("domain", "set", DOMAIN, "--unknown", "defer")
        assert answers(restante, *names) == ["250 2.1.5", "550 5.1.1", "450 4.1.1"]
        restante.stop()
        restante.start()
        assert answers(restante, *names) == ["250 2.1.5", "550 5.1.1", "450 4.1.1"]
        restante.do("recipient", "add", DOMAIN, "gone")  # the operator knows better
        assert answers(restante, "gone") == ["250 2.1.5"]


def test_a_primary_that_is_up_is_asked_and_one_that_is_away_keeps_no_mail_out() -> None:
    rejects = {f"gone@{DOMAIN}": "550 5.1.1 no mailbox of that name"}
    with Installation() as restante, PostfixPrimary([DOMAIN], rejects=rejects) as primary:
        restante.start()
        restante.hosts(DOMAIN, at(primary), "--recipients", "learned", "--ask-destination", "--tls", "off")
        primary.start()
        assert answers(restante, "there", "gone") == ["250 2.1.5", "550 5.1.1"]
        assert "lost connection" not in primary.log()
        assert restante.held(DOMAIN) == 0
        primary.stop()
        assert answers(restante, "there", "gone", "never-seen") == ["250 2.1.5", "550 5.1.1", "250 2.1.5"]
