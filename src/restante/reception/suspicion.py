"""Whether a reverse-path is somebody's who sent this. Pure.

What is taken here may be refused by the primary days later, and a report would then go to the reverse-path: to a stranger,
where that was forged. So it is asked while the sender is still there. Mail is taken all the same: suspicion costs it its
reports, and nothing else.

A sign counts if honest mail has no cause to bear it, and if it can be seen without asking anybody:

    the reverse-path is of the domain that the mail is for, or of another of that account's that goes to the same
    destination: what its own people write to each other stays on that server, and does not come here
    the client calls itself by our name: it says of itself what it must know to be wrong (RFC 5321 §4.1.4)
    the reverse-path's domain is none in the public DNS: a bare host name (RFC 5321 §2.3.5), or a name set aside for what
    is not public (RFC 6761 §6.3, §6.4; RFC 6762 §3): a report would find nobody, and its look-up leaks

Believed is who has logged in, and for the first sign a client at an address that the domain's own hosts have: so a customer
whose mail comes from elsewhere than the primary can say so. An authorized network of every address says nothing.

What was left out, and why. SPF, and whether a client's name leads to its address, want look-ups in the client's time. A
reverse-path of another account is no sign: customers of one platform write to each other, and that mail comes here while
the primary of the one is away. Unknown recipients beside known ones are what old mailing lists look like too.
"""

from dataclasses import dataclass
from typing import Final

from restante.mail.address import Mailbox, canonical_domain
from restante.mail.own_names import is_our_name
from restante.tenancy.model import Directory, HostedDomain, IpAddress

_NOT_PUBLIC: Final = frozenset({"invalid", "local", "localhost"})


@dataclass(frozen=True, slots=True)
class Client:
    """Who sends it, as far as that is known."""

    address: IpAddress
    hello: str  # what it calls itself
    is_authenticated: bool = False


def is_suspect(
    reverse_path: Mailbox | None,
    recipients: HostedDomain,
    client: Client,
    directory: Directory,
    hostname: str,
) -> bool:
    """Tell whether something speaks against a reverse-path, given the domain of a recipient; `hostname` is ours."""
    if reverse_path is None:
        return False
    if not reverse_path.domain:
        return True  # a report would have nowhere to go
    if client.is_authenticated:
        return False
    try:
        domain = canonical_domain(reverse_path.domain)
    except ValueError:
        return True  # no report could find its way there
    if domain.rpartition(".")[0] == "" or domain.rpartition(".")[2] in _NOT_PUBLIC:
        return True
    return _bears_our_name(client, hostname) or _is_home_mail(domain, recipients, client, directory)


def _bears_our_name(client: Client, hostname: str) -> bool:
    """Programs on this very machine may: they are where the name leads to."""
    return not client.address.is_loopback and is_our_name(client.hello, hostname)


def _is_home_mail(
    name: str, recipients: HostedDomain, client: Client, directory: Directory
) -> bool:
    sender = recipients if name == recipients.name else directory.domains.get(name)
    if sender is None or sender.account != recipients.account:
        return False
    if (sender.destination.host, sender.destination.port) != (
        recipients.destination.host,
        recipients.destination.port,
    ):
        return False
    return not _is_at_home(sender, client.address)


def _is_at_home(domain: HostedDomain, address: IpAddress) -> bool:
    return any(
        network.prefixlen and address in network for network in domain.authorized_hosts.networks
    )
