"""S3 on a bad day: the primary takes a message for some of its recipients only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import arrived, message, send


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation with little patience: deferred mail is soon held again."""
    with Installation(delivery={"patience": 0.5}) as restante:
        restante.start()
        yield restante


@pytest.mark.parametrize("kind", [PostfixPrimary, EximPrimary])
def test_each_recipient_gets_what_the_primary_said_of_it(
    restante: Installation, kind: type[Primary]
) -> None:
    """250 is delivered once, 450 is held, 550 is refused without a bounce; later both arrive."""
    domain = f"{kind.__name__.lower()}.example"
    taken, deferred, refused = (f"{name}@{domain}" for name in ("taken", "deferred", "refused"))
    rejects = {
        deferred: "450 4.2.1 mailbox is being moved",
        refused: "550 5.1.1 no mailbox of that name",
    }
    content = message(f"to three at {domain}")
    with kind([domain], rejects=rejects) as primary:
        restante.hosts(domain, at(primary))
        send(restante.mx, taken, deferred, refused, content=content)

        primary.start()
        release(restante, domain)
        [parked] = restante.shown("queue", "list", domain, "--status", "refused")
        [queued] = restante.shown("queue", "list", domain)
        assert parked["name"] == queued["name"]
        assert statuses(queued) == {
            deferred: ("held", "450 4.2.1"),
            refused: ("refused", "550 5.1.1"),
        }
        assert delivered_to(primary) == [taken]
        assert restante.events("delivery-deferred", forward_path=deferred)
        assert (
            len(restante.events("delivery-refused", forward_path=refused)) == 1
        )  # it was not tried again

        primary.stop()
        primary.rejects.clear()
        primary.start()
        restante.do("queue", "release", queued["name"], "--reason", "the mailbox is there now")
        release(restante, domain)
        primary.wait_for(3)
        assert arrived(primary) == [content] * 3
        assert delivered_to(primary) == sorted([taken, deferred, refused])
        assert restante.held(domain) == 0


def release(restante: Installation, domain: str) -> None:
    """Have a domain released, and wait until that is over."""
    before = len(restante.events("drain-finished", domain=domain))
    restante.do("release", domain)
    eventually(
        lambda: len(restante.events("drain-finished", domain=domain)) > before,
        what="the drain to end",
    )


def statuses(queued: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return status, and the codes of the last reply, of each recipient that is left."""
    return {one["forward_path"]: (one["status"], one["reply"][:9]) for one in queued["recipients"]}


def delivered_to(primary: Primary) -> list[str]:
    """Return the recipient of each message in the mailbox."""
    found = (
        re.search(rb"^(?:Delivered-To|Envelope-to): (.+)", raw, re.MULTILINE)
        for raw in primary.messages()
    )
    return sorted(match[1].decode() for match in found if match)
