"""S9: a destination is never this server itself, not even at a wildcard listener."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.sample import arrived, message, send

BAD_DATA: Final = 65  # exit code of `restante`
EVERYWHERE: Final = """
[[listen]]
service = "mx"
address = "0.0.0.0:{port}"
"""


@pytest.fixture(scope="module")
def everywhere() -> int:
    """The port on which we listen at every address."""
    return free_port()


@pytest.fixture(scope="module")
def restante(everywhere: int) -> Iterator[Installation]:
    """An installation as on the Internet."""
    with Installation(more=EVERYWHERE.format(port=everywhere)) as restante:
        restante.start()
        yield restante


def test_every_address_of_the_machine_is_ours_on_that_port_and_no_other(
    restante: Installation, everywhere: int
) -> None:
    """A primary on the same machine is fine on a port of its own."""
    [address] = addresses(1)
    with PostfixPrimary(["beside.example"], address=address) as primary:
        primary.start()
        restante.hosts("beside.example", f"{address}:{primary.port}")
        refused = restante.run(
            "domain", "set", "beside.example", "--destination", f"{address}:{everywhere}"
        )
        assert refused.returncode == BAD_DATA
        assert "is this server's own listener" in refused.stderr

        send(restante.mx, "reader@beside.example", content=message("next door"))
        restante.do("release", "beside.example")
        eventually(lambda: arrived(primary) == [message("next door")], what="the message")
