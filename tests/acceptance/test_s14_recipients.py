"""Known mailboxes, while the primary is away: by a list, and by Postfix's replies in drains."""

from __future__ import annotations

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

DOMAIN = "alpha.example"
AWAY = "127.0.0.1:9"
DAY = 86400.0
TAKEN, GONE, PUT_OFF = "250 2.1.5", "550 5.1.1", "450 4.1.1"
STAFF = "# the staff\nanna\nBert@alpha.example\n\nsales-*\n"


def answers(restante: Installation, *names: str) -> list[str]:
    with Session(restante.mx) as session:
        session.say("MAIL FROM:<someone@sender.example>")
        return [session.say(f"RCPT TO:<{name}@{DOMAIN}>")[:9].decode() for name in names]


def test_recipients_learned_by_a_drain_answer_for_an_absent_primary() -> None:
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
        restante.hosts(
            DOMAIN, at(primary), "--recipients", "learned", "--ask-destination", "--tls", "off"
        )
        primary.start()
        assert answers(restante, "there", "gone") == ["250 2.1.5", "550 5.1.1"]
        assert "lost connection" not in primary.log()
        assert restante.held(DOMAIN) == 0
        primary.stop()
        assert answers(restante, "there", "gone", "never-seen") == [
            "250 2.1.5",
            "550 5.1.1",
            "250 2.1.5",
        ]


def test_a_list_says_who_is_there_by_name_by_pattern_and_whatever_the_tag() -> None:
    with Installation() as restante:
        restante.start()
        restante.hosts(DOMAIN, AWAY, "--recipients", "list", "--unknown", "reject", "--ignore-tags")
        assert answers(restante, "anna", "postmaster") == [GONE, TAKEN]
        restante.do("recipient", "replace", DOMAIN, "--file", "-", typed=STAFF)
        known = ("anna", "ANNA", "bert", "anna+news", "sales-north", "sales-north+x", "Postmaster")
        assert answers(restante, *known) == [TAKEN] * len(known)
        assert answers(restante, "carl", "ann", "sales", "+anna", "anna-news") == [GONE] * 5

        unasked = restante.run("recipient", "replace", DOMAIN, "anna")
        assert unasked.returncode == 64
        assert "pass --yes" in unasked.stderr
        assert answers(restante, "bert") == [TAKEN], (
            "a list that drops so many is not taken over unasked"
        )
        restante.do("recipient", "replace", DOMAIN, "anna", "--yes")
        restante.do("recipient", "add", DOMAIN, "carl")
        restante.do("recipient", "remove", DOMAIN, "anna")
        assert answers(restante, "anna", "bert", "carl") == [GONE, GONE, TAKEN]
        restante.kill()
        restante.start()
        assert answers(restante, "anna", "carl") == [GONE, TAKEN]
        for unknown, code in (("defer", PUT_OFF), ("accept", TAKEN)):
            restante.do("domain", "set", DOMAIN, "--unknown", unknown)
            assert answers(restante, "anna", "carl") == [code, TAKEN]
        restante.do("domain", "set", DOMAIN, "--unknown", "reject", "--recipients", "any")
        assert answers(restante, "anna") == [TAKEN]


def test_recipients_learned_by_a_drain_expire() -> None:
    """A refusal is forgotten after a week, an existing mailbox after a month."""
    rejects = {f"gone@{DOMAIN}": "550 5.1.1 no mailbox of that name"}
    with Installation() as restante, PostfixPrimary([DOMAIN], rejects=rejects) as primary:
        restante.ahead(0)
        restante.start()
        restante.hosts(DOMAIN, at(primary), "--recipients", "learned")
        for name in ("there", "gone"):
            send(restante.mx, f"{name}@{DOMAIN}", content=message(f"to {name}"))
        primary.start()
        restante.do("release", DOMAIN)
        restante.wait_for_event("drain-finished")
        primary.stop()
        restante.do("domain", "set", DOMAIN, "--unknown", "defer")
        for days, expected in (
            (6, [TAKEN, GONE]),
            (8, [TAKEN, PUT_OFF]),
            (29, [TAKEN, PUT_OFF]),
            (31, [PUT_OFF] * 2),
        ):
            restante.ahead(days * DAY)
            assert answers(restante, "there", "gone") == expected, f"after {days} days"
