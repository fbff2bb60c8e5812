"""Acknowledged mail survives all kinds of fault. `make cluster N=100` is longer."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Final

import pytest

from tests.cluster.campaign import ClusterCampaign
from tests.cluster.cluster_site import cluster_site

FAULTS: Final = 4
SEED: Final = int(os.environ.get("RESTANTE_SEED") or random.SystemRandom().getrandbits(32))


@pytest.mark.timeout(400)
def test_no_acknowledged_mail_is_lost_and_every_drain_is_taken_over() -> None:
    with cluster_site() as site:
        result = asyncio.run(ClusterCampaign(site, SEED, FAULTS).run())
    assert not list(result.complaints()), result
