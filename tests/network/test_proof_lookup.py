"""TXT and MX records, asked of a name server on loopback."""

import asyncio

import pytest

from restante.network.proof_lookup import ProofLookup
from restante.network.resolver import LookupFailed
from tests.acceptance.name_server import ADDRESS, NameServer, Records

RECORDS: Records = {
    "_restante.a.example": {"TXT": ['"restante=" "abc"', '"other"']},
    "a.example": {"MX": ["10 Mail.a.example.", "20 mx2.example.net."]},
}


def test_the_values_are_returned_as_they_are_compared() -> None:
    async def story(lookup: ProofLookup) -> None:
        assert set(await lookup.texts("_restante.a.example")) == {"restante=abc", "other"}
        assert set(await lookup.mail_hosts("a.example")) == {"mail.a.example", "mx2.example.net"}
        assert await lookup.texts("a.example") == ()
        assert await lookup.mail_hosts("none.example") == ()

    with NameServer(RECORDS) as names:
        asyncio.run(story(ProofLookup([(ADDRESS, names.port)])))


def test_a_failure_is_no_answer() -> None:
    async def story(lookup: ProofLookup) -> None:
        with pytest.raises(LookupFailed):
            await lookup.texts("_restante.a.example")
        with pytest.raises(LookupFailed):
            await lookup.mail_hosts("a..example")

    with NameServer(RECORDS) as names:
        names.failing = {"_restante.a.example"}
        asyncio.run(story(ProofLookup([(ADDRESS, names.port)])))
