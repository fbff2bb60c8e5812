"""Acknowledged mail survives servers and a database that crash. `make cluster N=100` is longer."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Final

import pytest

from tests.cluster.campaign import TAKEOVER, ClusterCampaign, site

FAULTS: Final = 3
SEED: Final = int(os.environ.get("RESTANTE_SEED") or random.SystemRandom().getrandbits(32))


@pytest.mark.timeout(400)
def test_no_acknowledged_mail_is_lost_and_every_drain_is_taken_over() -> None:
    with site() as made:
        result = asyncio.run(ClusterCampaign(made, SEED).run(FAULTS))
    assert result.acknowledged > 0, result
    assert not result.lost, result
    assert result.copies <= result.copies_allowed, result
    assert result.drift == 0, result
    assert max(result.takeovers, default=0.0) < TAKEOVER, result
