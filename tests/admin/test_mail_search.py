"""Was it delivered? Held mail, history, and the audit entries that name it."""

from typing import Any

import pytest

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.held_mail import NamedMessages, delete_messages
from restante.admin.mail_search import MOST_NAMES, TraceSelection, TraceView, trace
from restante.mail.message import message_name
from tests.admin.admin_world import NOW, AdminWorld, run


@pytest.fixture
def admin() -> AdminWorld:
    """With 33 held and 34 deleted of alpha.example, and 35 deleted of beta.example."""
    admin = AdminWorld()
    alpha = run(admin.host("alpha.example", "alpha"))
    beta = run(admin.host("beta.example", "beta"))
    run(admin.hold(33, alpha, "x@alpha.example"))
    run(admin.hold(34, alpha, "y@alpha.example"))
    run(admin.hold(35, beta, "z@beta.example"))
    named = NamedMessages(names=(message_name(34), message_name(35)), reason="a test")
    run(delete_messages(admin.context, named))
    return admin


def traced(context: AdminContext, **selection: Any) -> TraceView:
    found = run(trace(context, TraceSelection(**selection)))
    return TraceView(
        held=list(found.held),
        left=list(found.left),
        releases=list(found.releases),
        audit=list(found.audit),
        held_after=found.held_after,
        left_before=found.left_before,
    )


def names(found: TraceView) -> tuple[list[str], list[str]]:
    """Return the names of the mail that is held, and of the mail that left."""
    return [one.name for one in found.held], [one.name for one in found.left]


HELD, GONE, BETA = message_name(33), message_name(34), message_name(35)


@pytest.mark.parametrize(
    ("selection", "held", "left"),
    [
        ({"name": HELD}, [HELD], []),
        ({"name": GONE}, [], [GONE]),
        ({"recipient": "*@alpha.example"}, [HELD], [GONE]),
        ({"recipient": "Z@BETA.example"}, [], [BETA]),
        ({"reverse_path": "nobody@example.org"}, [], []),
        ({"domain": "alpha.example"}, [HELD], [GONE]),
        ({"outcome": "deleted"}, [], [BETA, GONE]),
        ({"outcome": "delivered"}, [], []),
        ({"since": NOW - 1}, [], [BETA, GONE]),
        ({"until": NOW - 1}, [HELD], []),
        ({"message_id": "1@example.org"}, [], []),
    ],
)
def test_a_selection(
    admin: AdminWorld, selection: dict[str, Any], held: list[str], left: list[str]
) -> None:
    assert names(traced(admin.context, **selection)) == (held, left)


def test_the_entries_that_name_a_message_come_along(admin: AdminWorld) -> None:
    found = traced(admin.context, name=GONE)
    assert [(entry.action, entry.reason) for entry in found.audit] == [("mail-deleted", "a test")]
    assert traced(admin.context, name=HELD).audit == []


def test_the_entries_about_many_messages_do_not(admin: AdminWorld) -> None:
    alpha = admin.context.directory.now.domains["alpha.example"].id
    for number in range(100, 101 + MOST_NAMES):
        run(admin.hold(number, alpha, "x@alpha.example"))
    assert traced(admin.context, domain="alpha.example").audit == []


@pytest.mark.parametrize(
    ("selection", "kind"),
    [
        ({"name": "!"}, ErrorKind.INVALID),
        ({"domain": "nobody.example"}, ErrorKind.NOT_FOUND),
        ({"since": 5.0, "until": 5.0}, ErrorKind.INVALID),
    ],
)
def test_a_bad_selection(admin: AdminWorld, selection: dict[str, Any], kind: ErrorKind) -> None:
    with pytest.raises(AdminError) as raised:
        traced(admin.context, **selection)
    assert raised.value.kind is kind
