"""Each kind of work has a lane."""

import asyncio

from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.lane_set import LaneSet, SessionKind


async def refuse() -> DatabaseSession:
    raise ConnectionRefusedError


def test_each_kind_has_its_own_lane_and_connects_when_it_is_needed() -> None:
    lanes = LaneSet(refuse)
    assert len({id(lanes[kind]) for kind in SessionKind}) == len(SessionKind)
    asyncio.run(lanes.close())
