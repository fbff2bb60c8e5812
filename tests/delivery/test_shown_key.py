"""Which key a destination shows: over real sockets on loopback."""

import asyncio

import pytest

from restante.delivery.shown_key import NoKey, shown_key
from restante.tenancy.model import Destination
from tests.delivery.conftest import Authority
from tests.delivery.scripted_primary import CLOSE, ScriptedPrimary
from tests.delivery.world import Names

NAMES = Names({"p.internal": ["127.0.0.1"]})


def shown(
    primary: ScriptedPrimary, host: str = "p.internal", own: list[tuple[str, int]] | None = None
) -> str:
    async def main() -> str:
        async with primary:
            return await shown_key(
                Destination(host, primary.port), NAMES, "mx2.example.net", own or []
            )

    return asyncio.run(main())


@pytest.mark.parametrize("host", ["p.internal", "127.0.0.1"])
def test_it_is_the_hash_of_the_public_key_and_no_mail_is_offered(
    authority: Authority, host: str
) -> None:
    primary = ScriptedPrimary(
        offer=("STARTTLS", "CHUNKING", "PIPELINING"), context=authority.context
    )
    key = shown(primary, host)
    assert key == authority.pin
    assert "MAIL" not in " ".join(primary.commands)


@pytest.mark.parametrize(
    ("primary", "why"),
    [
        (ScriptedPrimary(offer=()), "STARTTLS"),
        (ScriptedPrimary({"GREETING": CLOSE}), "closed"),
        (ScriptedPrimary({"GREETING": "554 no"}), "554 no"),
    ],
)
def test_without_tls_there_is_none(primary: ScriptedPrimary, why: str) -> None:
    with pytest.raises(NoKey, match=why):
        shown(primary)


def test_a_name_that_is_not_there_shows_none() -> None:
    with pytest.raises(NoKey, match="no such name"):
        shown(ScriptedPrimary(), "nowhere.internal")


def test_no_key_is_fetched_from_our_networks_where_an_account_chose_the_host() -> None:
    chosen = Destination("127.0.0.1", set_by="alpha")
    with pytest.raises(NoKey, match="no public address"):
        asyncio.run(shown_key(chosen, Names({}), "mx2.example.net", []))
