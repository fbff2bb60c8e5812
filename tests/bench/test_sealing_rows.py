"""The rows about sealing compare a server that seals with one that does not."""

from collections.abc import Iterator

import pytest

from bench.content import LINE
from bench.load.load import Load
from bench.rows.sealing import SUBJECTS, sealing_drain_row
from bench.servers.park import RESTANTE, Park
from bench.servers.restante import RestanteServer

FEW = 5


@pytest.fixture
def park() -> Iterator[Park]:
    with Park() as park:
        yield park


def test_the_configuration_of_each_server_decides(park: Park) -> None:
    row = sealing_drain_row(park, 4096, "4k", "4 KiB", FEW)
    for place, subject in enumerate(row.subjects):
        assert row.run(subject, is_first=False).value > 0.0
        server = park[SUBJECTS[place]]
        assert isinstance(server, RestanteServer)
        with server.lent_filled(FEW, 4096):
            assert (LINE in server.stored_octets()) == (SUBJECTS[place] != RESTANTE)
        with server.running():
            Load(1, 4096, 1, has_chunks=True).send(server.port)
            assert (LINE in server.stored_octets()) == (SUBJECTS[place] != RESTANTE)
