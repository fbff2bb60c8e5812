"""An argument into the reader of an ETRN target, and the target over a directory.

The rule: a target or ValueError, nothing else. A target covers only names that its labels name.
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
            target = parse_etrn_target(argument)
        except ValueError:
            continue
        assert isinstance(target, EtrnTarget)
        _check_target(target, argument)


def _check_target(target: EtrnTarget, argument: str) -> None:
    assert target.text.isascii()
    assert target.text == argument or not argument.isascii()
    assert parse_etrn_target(target.text) == target
    assert count_replies(replies.NODE_NOT_ALLOWED.fill(target=target.text).octets) == 1
    covered = [domain.name for domain in target.hosted(_DIRECTORY)]
    expected = [name for name, account in sorted(_NAMES) if _names(target, name, account)]
    assert covered == expected
    assert covered == [
        name for name in sorted(_DIRECTORY.domains) if target.covers(_DIRECTORY.domains[name])
    ]


def _names(target: EtrnTarget, name: str, account: str) -> bool:
    if target.kind is EtrnTargetKind.ACCOUNT:
        return target.text[1:].lower() == account
    asked = canonical_domain(target.text.removeprefix("@")).split(".")
    labels = name.split(".")
    return (
        labels[-len(asked) :] == asked if target.kind is EtrnTargetKind.SUBTREE else labels == asked
    )
