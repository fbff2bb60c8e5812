"""For any primary: mail that is no longer held got its 250, and a drain ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueueFilter
from tests.delivery.scripted_primary import CLOSE, GARBAGE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World

TROUBLE = [
    CLOSE,
    GARBAGE,
    "421 bye",
    "451 later",
    "550 no",
    "503 what?",
    "250 OK\r\n250 OK",
    "354 go",
    "235 hm",
    "252 hm",
]
MOMENTS = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "RSET"]
FINE = {"GREETING": "220 p", "EHLO": "250-p\r\n250 PIPELINING", "DATA": "354 go"}


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script: Script = {}
    for moment in MOMENTS:
        fine = FINE.get(moment, "250 OK")
        replies = st.sampled_from([fine] * 2 * len(TROUBLE) + TROUBLE)
        script[moment] = draw(st.lists(replies, max_size=15))
    return script


@settings(max_examples=60, deadline=None)
@given(scripts(), st.integers(1, 3), st.integers(1, 15), st.booleans())
def test_nothing_is_lost(
    script: Script, connections: int, count: int, has_pipelining: bool
) -> None:
    primary = ScriptedPrimary(script, offer=("PIPELINING",) if has_pipelining else ())
    world = World()
    world.set(patience=200.0, messages_per_connection=5)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=connections)
            await world.hold(domain, count, "a@b.example", "b@b.example")
            await world.drain(domain)
            listed = await world.store.queue.list_queue(QueueFilter())
            waiting = {
                (each.number, who.forward_path) for each in listed for who in each.recipients
            }
            taken = {
                (int(each.content), path)
                for each in primary.taken
                if each.content
                for path in each.forward_paths
            }
            every = {
                (number, path)
                for number in range(1, count + 1)
                for path in ("a@b.example", "b@b.example")
            }
            assert every - waiting <= taken
            assert all(
                who.reply
                for each in listed
                for who in each.recipients
                if who.status is RecipientStatus.REFUSED
            )

    run_swiftly(main())
