"""S14: mail that leaves without a request, to a real Postfix that goes away and comes back.

The pauses between probes are short here. tests/delivery tests how they grow, with its own clock.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import arrived, message, send
from tests.acceptance.session import Session

DOMAIN = "alpha.example"
PATH = f"reader@{DOMAIN}"
PROBES = {"probe_pause": 0.2, "longest_probe_pause": 0.5}


@pytest.fixture
def installed() -> Iterator[Installation]:
    with Installation(delivery=PROBES) as restante:
        restante.start()
        yield restante


@pytest.fixture
def primary() -> Iterator[Primary]:
    """Off, at first."""
    with PostfixPrimary([DOMAIN]) as primary:
        yield primary


def answer_to_rcpt(restante: Installation) -> str:
    """The code that a stranger gets."""
    with Session(restante.mx) as session:
        session.say("MAIL FROM:<someone@sender.example>")
        return session.say(f"RCPT TO:<{PATH}>")[:3].decode()


def release_requests(restante: Installation) -> list[tuple[str, str, str, str]]:
    entries = restante.shown("audit", "--account", "alpha")
    return [
        (entry["actor"], entry["acted_from"], entry["subject"], entry["answer"][:3])
        for entry in entries
        if entry["action"] == "release-requested"
    ]


def test_mail_leaves_when_the_primary_is_back_and_nobody_has_asked(
    installed: Installation, primary: Primary
) -> None:
    installed.hosts(DOMAIN, at(primary), "--hold", "on-return")
    contents = [message(f"held {number}") for number in range(3)]
    for content in contents:
        send(installed.mx, PATH, content=content)
    away = installed.wait_for_event("primary-away")
    assert (away["account"], away["domains"]) == ("alpha", [DOMAIN])
    assert away["destination"] == at(primary)
    assert installed.held(DOMAIN) == 3

    primary.start()
    primary.wait_for(3)

    assert sorted(arrived(primary)) == sorted(contents)
    assert installed.wait_for_event("primary-back")["domains"] == [DOMAIN]
    eventually(lambda: installed.held(DOMAIN) == 0, what="an empty queue")
    assert release_requests(installed) == [("policy on-return", "this server", DOMAIN, "253")]


def test_a_restart_in_between_begins_the_watch_anew(
    installed: Installation, primary: Primary
) -> None:
    installed.hosts(DOMAIN, at(primary), "--hold", "on-return")
    send(installed.mx, PATH, content=message("before"))
    installed.wait_for_event("primary-away")
    installed.kill()
    installed.start()
    eventually(lambda: len(installed.events("primary-away")) == 2, what="the second watch")
    primary.start()
    assert len(primary.wait_for(1)) == 1


def test_a_probe_leaves_a_primary_nothing_to_complain_of(
    installed: Installation, primary: Primary
) -> None:
    primary.start()
    installed.hosts(DOMAIN, at(primary), "--hold", "on-return", "--accept", "when-down")
    eventually(lambda: primary.log().count("disconnect from") >= 4, what="some probes")
    assert "lost connection" not in primary.log()
    assert "warning" not in primary.log()
    assert "ehlo=1 quit=1 commands=2" in primary.log()


def test_a_relay_hands_over_what_comes_at_once(installed: Installation, primary: Primary) -> None:
    primary.start()
    installed.hosts(DOMAIN, at(primary), "--hold", "relay")
    send(installed.mx, PATH, content=message("straight on"))
    assert len(primary.wait_for(1)) == 1
    assert release_requests(installed) == []
    assert installed.wait_for_event("drain-finished")["delivered"] == 1


def test_mail_is_taken_only_while_the_primary_is_away(
    installed: Installation, primary: Primary
) -> None:
    primary.start()
    installed.hosts(DOMAIN, at(primary), "--hold", "on-return", "--accept", "when-down")
    eventually(lambda: answer_to_rcpt(installed) == "450", what="the primary to be known as up")
    installed.do("domain", "set", DOMAIN, "--force-accept", "on")
    assert answer_to_rcpt(installed) == "250"
    installed.do("domain", "set", DOMAIN, "--force-accept", "")
    eventually(lambda: answer_to_rcpt(installed) == "450", what="the same again")
    primary.stop()
    eventually(lambda: answer_to_rcpt(installed) == "250", what="the primary to be known as away")
    send(installed.mx, PATH, content=message("meanwhile"))
    primary.start()
    assert len(primary.wait_for(1)) == 1


def test_a_suspended_domain_gives_its_mail_to_nobody(
    installed: Installation, primary: Primary
) -> None:
    primary.start()
    login = installed.hosts(DOMAIN, at(primary), "--hold", "on-return")
    installed.do("domain", "set", DOMAIN, "--hold", "suspended", "--reason", "not paid")
    send(installed.mx, PATH, content=message("kept"))
    with Session(installed.smtps) as session:
        session.authenticate(login)
        assert session.say(f"ETRN {DOMAIN}").startswith(b"458")
    assert installed.run("release", DOMAIN).returncode != 0
    assert installed.held(DOMAIN) == 1
    installed.do("domain", "set", DOMAIN, "--while-suspended", "defer")
    assert answer_to_rcpt(installed) == "450"

    installed.do("domain", "set", DOMAIN, "--hold", "on-return")

    assert len(primary.wait_for(1)) == 1


def test_a_suspension_ends_by_itself_when_it_was_said_to(primary: Primary) -> None:
    with Installation() as restante:
        restante.ahead(0)
        restante.start()
        primary.start()
        login = restante.hosts(DOMAIN, at(primary))
        restante.do(
            "domain",
            "set",
            DOMAIN,
            "--hold",
            "suspended",
            "--reason",
            "moving house",
            "--until",
            "2d",
        )
        send(restante.mx, PATH, content=message("kept"))
        for hours, answer in ((47, "458"), (49, "253")):
            restante.ahead(hours * 3600.0)
            asked = restante.etrn(DOMAIN, login=login)
            assert answer in asked.stdout + asked.stderr, f"after {hours} hours"
        assert len(primary.wait_for(1)) == 1
