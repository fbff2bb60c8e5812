"""Acknowledged mail survives all kinds of fault. `make cluster N=100` is longer."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from tests.cluster.campaign import ClusterCampaign
from tests.cluster.cluster_site import cluster_site
from tests.fixed_seed import SEED

FAULTS: Final = 4
SLOW_TAKEOVER: Final = 60.0  # seconds, on a machine that runs other tests; `make cluster`: 10


@pytest.mark.timeout(900)
def test_no_acknowledged_mail_is_lost_and_every_drain_is_taken_over() -> None:
    with cluster_site() as site:
        result = asyncio.run(ClusterCampaign(site, SEED, FAULTS).run())
    assert not list(result.complaints(SLOW_TAKEOVER)), result
