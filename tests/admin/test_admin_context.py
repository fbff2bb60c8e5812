"""The context of a request: its principal and reason; the operator's name on this machine."""

import os
import pwd

from restante.admin.admin_context import operator
from restante.admin.configuration_state import ConfigurationState
from restante.tenancy.principal import CONTROL_SOCKET, Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld

NO_USER = 4_000_000_123


def test_a_request_has_its_own_principal_and_reason_and_shares_the_rest() -> None:
    context = AdminWorld().context
    alice = Principal(Role.ACCOUNT, actor_named("token a"), "https", "alpha")
    acting = context.acting(alice, "asked by phone")
    assert (acting.principal, acting.reason) == (alice, "asked by phone")
    assert (acting.store, acting.server) == (context.store, context.server)
    assert (context.principal.role, context.reason) == (Role.OPERATOR, "")
    assert acting.acting(alice).reason == ""


def test_an_operator_has_the_name_of_the_user_or_the_number_of_one_that_is_gone() -> None:
    name = pwd.getpwuid(os.getuid()).pw_name
    assert operator(os.getuid(), CONTROL_SOCKET).name == f"operator {name}"
    assert operator(NO_USER, CONTROL_SOCKET) == Principal(
        Role.OPERATOR, actor_named(f"operator uid:{NO_USER}"), CONTROL_SOCKET
    )


def test_a_reload_that_failed_leaves_what_is_in_force() -> None:
    state = ConfigurationState(5.0, restart_for=("listen",), warnings=("a name",))
    failed = state.failed(9.0, "no such file")
    assert (failed.reload_failed_at, failed.reload_failure) == (9.0, "no such file")
    assert (failed.read_at, failed.restart_for, failed.warnings) == (5.0, ("listen",), ("a name",))
