"""New channels for tests, and the refusal of one."""

from typing import Any

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.channel_change import NewChannel
from restante.admin.channels import add_channel
from restante.notices.webhook_signature import new_signing_key
from tests.admin.admin_world import AdminWorld, run

URL = "https://hook.example/in/a-token?and=more"


def hook(name: str = "hook", **fields: Any) -> NewChannel:
    return NewChannel.model_validate(
        {"name": name, "webhook": URL, "key": new_signing_key(), **fields}
    )


def mail(address: str, name: str = "mail", **fields: Any) -> NewChannel:
    return NewChannel.model_validate({"name": name, "mail": address, **fields})


def refusal(admin: AdminWorld, new: NewChannel) -> AdminError:
    with pytest.raises(AdminError) as caught:
        run(add_channel(admin.context, new))
    assert run(admin.store.records.directory()).channels == {}
    return caught.value


def admin_with_alpha() -> AdminWorld:
    """Return an admin world whose account alpha hosts alpha.example."""
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    return admin
