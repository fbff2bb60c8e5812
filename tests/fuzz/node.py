"""An argument into the reader of ETRN's node, and the node over a directory.

The rule: a node or ValueError, nothing else. A node covers only names that its labels name.
"""

from typing import Final

from restante.mail.address import canonical_domain
from restante.smtp import replies
from restante.tenancy.etrn_target import EtrnTarget, EtrnTargetKind, parse_etrn_target
from restante.tenancy.model import AuthorizedHosts, Destination, Directory, HostedDomain
from tests.fuzz.replies_check import count_replies

_NAMES: Final = (
    ("a.example", "alpha"),
    ("sub.a.example", "alpha"),
    ("ba.example", "beta"),
    ("xn--bcher-kva.example", "beta"),
    ("_dmarc.a.example", "r.s-t_u"),
    ("example", "1"),
)
_DIRECTORY: Final = Directory(
    domains={
        name: HostedDomain(number, name, account, Destination("192.0.2.1"), AuthorizedHosts(), 0.0)
        for number, (name, account) in enumerate(_NAMES, 1)
    }
)


def check(data: bytes) -> None:
    """Run one input: every line of it is an argument. Raises what breaks the rule."""
    for line in data.split(b"\n"):
        try:
            argument = line.decode()
            node = parse_etrn_target(argument)
        except ValueError:
            continue
        assert isinstance(node, EtrnTarget)
        _check_node(node, argument)


def _check_node(node: EtrnTarget, argument: str) -> None:
    assert node.text.isascii()
    assert node.text == argument or not argument.isascii()
    assert parse_etrn_target(node.text) == node
    assert count_replies(replies.NODE_NOT_ALLOWED.fill(target=node.text).octets) == 1
    covered = [domain.name for domain in node.hosted(_DIRECTORY)]
    expected = [name for name, account in sorted(_NAMES) if _names(node, name, account)]
    assert covered == expected
    assert covered == [
        name for name in sorted(_DIRECTORY.domains) if node.covers(_DIRECTORY.domains[name])
    ]


def _names(node: EtrnTarget, name: str, account: str) -> bool:
    if node.kind is EtrnTargetKind.ACCOUNT:
        return node.text[1:].lower() == account
    asked = canonical_domain(node.text.removeprefix("@")).split(".")
    labels = name.split(".")
    return (
        labels[-len(asked) :] == asked if node.kind is EtrnTargetKind.SUBTREE else labels == asked
    )
