"""Nodes as an operator sees, retires and removes them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.nodes import NodeOrder, list_nodes, remove_node, retire_node
from restante.admin.server_status import show_status
from restante.store.node_store import Node, NodeState
from restante.tenancy.audit import AuditAction
from tests.admin.admin_world import AdminWorld

OWN = Node("mx1:7", "0.1.0", NodeState.SERVING, 0.25, 4.75, 3, ("reports",), is_own=True)
OTHER = replace(OWN, name="mx2:9", duties=(), is_own=False)
WHY = NodeOrder(reason="the machine is replaced")


class TwoNodes:
    """A `NodeStore` with two nodes."""

    is_retiring = False
    risk = ""
    clock_offset = None

    def __init__(self, *, is_other_silent: bool = False) -> None:
        state = NodeState.SILENT if is_other_silent else NodeState.SERVING
        self.other = replace(OTHER, state=state)
        self.retired: list[str] = []
        self.removed: list[str] = []

    async def nodes(self) -> list[Node]:
        return [OWN, self.other]

    async def retire(self, name: str) -> bool:
        if self.other.state is NodeState.SILENT:
            return False
        self.retired.append(name)
        return True

    async def remove(self, name: str) -> bool:
        if self.other.state is not NodeState.SILENT:
            return False
        self.removed.append(name)
        return True


def world(nodes: TwoNodes) -> AdminWorld:
    """A world whose store these nodes share."""
    made = AdminWorld()
    made.store.nodes = nodes  # type: ignore[assignment]
    return made


def test_nodes_are_listed_and_in_the_status() -> None:
    admin = world(TwoNodes())
    listed = asyncio.run(list_nodes(admin.context))
    assert [(one.name, one.beat_seconds, one.duties) for one in listed] == [
        ("mx1:7", 0.25, ["reports"]),
        ("mx2:9", 0.25, []),
    ]
    assert asyncio.run(show_status(admin.context)).view.nodes == listed


def test_a_store_of_one_server_has_no_nodes() -> None:
    assert asyncio.run(list_nodes(AdminWorld().context)) == []


def test_a_node_is_asked_to_stop_and_that_is_recorded() -> None:
    nodes = TwoNodes()
    admin = world(nodes)
    asyncio.run(retire_node(admin.context, "mx2:9", WHY))
    assert nodes.retired == ["mx2:9"]
    [entry] = asyncio.run(admin.store.audit.audit())
    assert (entry.action, entry.subject, entry.reason) == (
        AuditAction.NODE_RETIRED,
        "mx2:9",
        WHY.reason,
    )


def test_a_silent_node_is_removed_and_that_is_recorded() -> None:
    nodes = TwoNodes(is_other_silent=True)
    admin = world(nodes)
    asyncio.run(remove_node(admin.context, "mx2:9", WHY))
    assert nodes.removed == ["mx2:9"]
    [entry] = asyncio.run(admin.store.audit.audit())
    assert (entry.action, entry.subject) == (AuditAction.NODE_REMOVED, "mx2:9")


@pytest.mark.parametrize(
    ("act", "name", "is_silent", "kind", "remedy"),
    [
        (retire_node, "mx2:9", True, ErrorKind.CONFLICT, "restante node remove mx2:9"),
        (remove_node, "mx2:9", False, ErrorKind.CONFLICT, "restante node retire mx2:9"),
        (retire_node, "mx3:1", False, ErrorKind.NOT_FOUND, "restante node list"),
        (remove_node, "mx3:1", False, ErrorKind.NOT_FOUND, "restante node list"),
    ],
)
def test_what_cannot_be_done_names_the_remedy(
    act: Callable[..., Coroutine[Any, Any, Any]],
    name: str,
    is_silent: bool,
    kind: ErrorKind,
    remedy: str,
) -> None:
    admin = world(TwoNodes(is_other_silent=is_silent))
    with pytest.raises(AdminError, match=remedy) as caught:
        asyncio.run(act(admin.context, name, WHY))
    assert caught.value.kind is kind
    assert asyncio.run(admin.store.audit.audit()) == []
