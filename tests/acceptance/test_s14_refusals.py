"""A real Postfix that refuses everything: the drain stops, and the rest of the mail stays held."""

from __future__ import annotations

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import arrived, message, send

DOMAIN = "alpha.example"
BROKEN = {"smtpd_recipient_restrictions": "reject"}


def test_a_primary_that_refuses_everything_gets_no_more_and_the_mail_is_kept() -> None:
    contents = [message(f"number {number}") for number in range(6)]
    with (
        Installation(delivery={"refusals_limit": 3, "run_ahead": "false"}) as restante,  # type: ignore[dict-item]
        PostfixPrimary([DOMAIN], settings=BROKEN) as primary,
    ):
        restante.start()
        restante.hosts(DOMAIN, at(primary), "--connections", "1")
        for content in contents:
            send(restante.mx, f"reader@{DOMAIN}", content=content)
        primary.start()

        restante.do("release", DOMAIN)

        told = restante.wait_for_event("destination-refuses")
        assert (told["domain"], told["account"]) == (DOMAIN, "alpha")
        eventually(lambda: restante.events("drain-finished"), what="the drain to end")
        parked = restante.shown("queue", "list", DOMAIN, "--status", "refused")
        assert len(parked) in (3, 4), "the limit, and one that was on its way"
        assert {one["recipients"][0]["reply"][:9] for one in parked} == {"554 5.7.1"}
        assert restante.held(DOMAIN) == 6
        restante.kill()  # refused mail is as durable as any
        restante.start()
        assert restante.shown("domain", "show", DOMAIN)["refused"] == len(parked)

        primary.stop()
        primary.settings.clear()
        primary.start()
        restante.do(
            "queue",
            "release",
            *(one["name"] for one in parked),
            "--reason",
            "the primary is mended",
        )
        restante.do("release", DOMAIN)
        primary.wait_for(6)
        assert sorted(arrived(primary)) == sorted(contents)
