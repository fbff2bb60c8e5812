"""The operator's release: done by the server, and answered for each target."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.operator_release import ReleaseOrder, release
from tests.admin.admin_world import AdminWorld, run


def test_a_release_goes_through_the_servers_door() -> None:
    admin = AdminWorld()
    answers = run(
        release(
            admin.context,
            ReleaseOrder(targets=("alpha.example", "unknown.example"), reason="asked by phone"),
        )
    )
    assert [answer.result for answer in answers] == ["granted", "refused"]
    assert admin.server
    assert admin.server.released[0] == ("alpha.example", "operator", "asked by phone")


def test_without_a_server_a_release_says_so() -> None:
    with pytest.raises(AdminError, match="no server is running; start it") as caught:
        run(release(AdminWorld(server=None).context, ReleaseOrder(targets=("alpha.example",))))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
