"""A stock Postfix defers the mail of one sender, drain after drain; greylisting beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.loopback import addresses
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import arrived, message
from tests.acceptance.session import Session

DOMAIN: Final = "put-off.example"
BAD: Final = "bad@sender.example"
REPLY: Final = f"450 4.7.1 <{BAD}>: Sender address rejected: not with this reputation"
GREYLIST: Final = "[hygiene]\ngreylist = true\n"
RULE: Final = f"check_sender_access inline:{{ {{ {BAD} = 450 4.7.1 not with this reputation }} }}"


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation whose drains end soon."""
    with Installation(delivery={"patience": 0.5, "probe_pause": 0.2}, more=GREYLIST) as restante:
        restante.start()
        yield restante


def bring(restante: Installation, *senders: str) -> None:
    with Session(restante.mx, hello="out.sender.example") as session:
        for sender in senders:
            for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<one@{DOMAIN}>"):
                assert session.say(line).startswith(b"250")
            assert session.say("DATA").startswith(b"354")
            assert session.say(message(sender).decode() + ".").startswith(b"250")


def drain(restante: Installation, count: int) -> None:
    """Release the domain, and wait until so many drains have ended in all."""
    restante.do("release", DOMAIN)
    eventually(
        lambda: len(restante.events("drain-finished", domain=DOMAIN)) >= count,
        what="the end of the drain",
    )


def test_it_is_shown_goes_last_and_is_parked_after_the_drains_that_the_policy_allows(
    restante: Installation,
) -> None:
    with PostfixPrimary([DOMAIN], settings={"smtpd_sender_restrictions": RULE}) as primary:
        restante.hosts(DOMAIN, at(primary), allow=["127.0.0.1"])
        restante.do("domain", "set", DOMAIN, "--after-drains", "2")
        bring(restante, BAD, "good@sender.example")
        primary.start()

        drain(restante, 1)
        [held] = restante.shown("queue", "list", DOMAIN)
        assert held["policy_deferrals"] == 1
        shown = restante.do("queue", "show", held["name"])
        assert f"by a policy of the destination in 1 drain: {REPLY}" in " ".join(shown.split())
        assert restante.shown("status", DOMAIN)["domains"][0]["deferred_by_policy"] == 1

        bring(restante, "late@sender.example")
        drain(restante, 2)
        assert len(arrived(primary)) == 2
        lines = restante.log_tail()
        assert lines.rindex("message-delivered") < lines.rindex("delivery-refused"), "it goes last"
        [parked] = restante.shown("queue", "list", DOMAIN)
        assert parked["recipients"][0]["status"] == "refused"
        assert parked["recipients"][0]["reply"] == REPLY

        restante.do("queue", "release", parked["name"], "--yes")
        [held] = restante.shown("queue", "list", DOMAIN)
        assert (held["recipients"][0]["status"], held["policy_deferrals"]) == ("held", 0)

        restante.do("domain", "set", DOMAIN, "--hygiene", "defer", "--hold", "on-return")
        await_primary(restante, "up")
        assert asked(restante) == b"450 4.7.1 Greylisted, try again in 5 minutes\r\n"
    await_primary(restante, "away")
    assert asked(restante).startswith(b"250 "), "this is the mail that a backup MX exists for"


def await_primary(restante: Installation, state: str) -> None:
    eventually(
        lambda: restante.shown("domain", "show", DOMAIN)["primary"]["seen"] == state,
        what=f"the primary seen {state}",
    )


def asked(restante: Installation) -> bytes:
    """Return the reply to a new sender's recipient."""
    with Session(restante.mx, source=addresses(1)[0]) as session:
        assert session.say("MAIL FROM:<new@sender.example>").startswith(b"250")
        return session.say(f"RCPT TO:<one@{DOMAIN}>")
