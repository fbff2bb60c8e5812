"""The operator's release: done by the server, and answered for each node."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.operator_release import ReleaseOrder, release
from tests.admin.desk import Desk, run


def test_a_release_goes_through_the_servers_door() -> None:
    desk = Desk()
    answers = run(
        release(
            desk.context,
            ReleaseOrder(targets=("alpha.example", "unknown.example"), reason="asked by phone"),
        )
    )
    assert [answer.code for answer in answers] == [253, 459]
    assert desk.server
    assert desk.server.released[0] == ("alpha.example", "operator", "asked by phone")


def test_without_a_server_a_release_says_so() -> None:
    with pytest.raises(AdminError, match="no server is running; start it") as caught:
        run(release(Desk(server=None).context, ReleaseOrder(targets=("alpha.example",))))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
