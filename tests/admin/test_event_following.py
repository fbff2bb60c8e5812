"""Events are followed while a server runs, with the permission for it."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.event_following import follow_events
from restante.tenancy.principal import NOBODY
from tests.admin.admin_world import AdminWorld


def test_without_a_server_there_are_no_events() -> None:
    with pytest.raises(AdminError) as raised:
        follow_events(AdminWorld().context, "")
    assert raised.value.kind is ErrorKind.UNAVAILABLE


def test_nobody_follows() -> None:
    with pytest.raises(AdminError) as raised:
        follow_events(AdminWorld().context.acting(NOBODY), "")
    assert raised.value.kind is ErrorKind.NOT_ALLOWED
