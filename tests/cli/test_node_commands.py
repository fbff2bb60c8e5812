"""`restante node`: on SQLite there are no nodes; the listing of two."""

from restante.admin.nodes import NodeView
from restante.cli.failures import Exit
from restante.store.node_store import NodeState
from tests.admin.admin_world import AdminWorld
from tests.admin.test_nodes import TwoNodes
from tests.cli.conftest import Command


def test_a_store_of_one_server_has_no_nodes(command: Command, admin: AdminWorld) -> None:
    assert command("node", "list").out == "0 nodes\n"
    refused = command("node", "retire", "mx1:7")
    assert refused.code == Exit.NO_INPUT
    assert "node mx1:7: is not known" in refused.err


def test_nodes_are_listed_retired_and_removed(command: Command, admin: AdminWorld) -> None:
    nodes = TwoNodes()
    admin.store.nodes = nodes  # type: ignore[assignment]
    listed = command("node", "list").out
    assert "NODE   STATE    VERSION  BEAT    LEASE  DRAINS  DUTIES" in listed
    assert "mx1:7  serving  0.1.0    0s ago  5s          3  reports" in listed
    assert "mx2:9" in command("status").out
    retired = command("node", "retire", "mx2:9", "--reason", "replaced")
    assert (retired.out, nodes.retired) == ("node mx2:9: was asked to stop\n", ["mx2:9"])
    refused = command("node", "remove", "mx2:9")
    assert refused.code != Exit.DONE
    assert "is alive; stop it first: `restante node retire mx2:9`" in refused.err
    assert '"is_own": true' in command("node", "list", "--json").out
    assert NodeView.model_fields["state"].annotation is NodeState
