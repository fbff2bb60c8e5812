"""Whether a reverse-path belongs to the client that sends the mail. Pure.

The primary may refuse this mail days later, and a report would then go to the reverse-path. If that
was forged, it reaches a stranger. So it is checked while the client is still connected. Suspect
mail is taken anyway; it only gets no reports.

A sign counts if honest mail has no reason to show it, and if it needs no look-up:

- The reverse-path is of the recipient's domain, or of another domain of that account with the same
  destination. Mail among its own people stays on that server and does not come here.
- The client calls itself by our name, which it must know to be wrong (RFC 5321 §4.1.4).
- The reverse-path's domain is not in the public DNS. It is a bare host name (RFC 5321 §2.3.5), or a
  name reserved for private use (RFC 6761 §6.3, §6.4; RFC 6762 §3). A report would find no one, and
  its look-up leaks.

Authenticated clients are trusted. For the first sign, so is a client at an authorized host of the
domain. So a customer can say that its mail comes from other hosts than the primary. An authorized
network of every address says nothing.

Rejected ideas:

- SPF, and whether a client's name leads to its address, need look-ups in the client's time.
- A reverse-path of another account is no sign. Customers of one platform write to each other, and
  that mail comes here while the recipient's primary is down.
- Unknown recipients beside known ones also come from old mailing lists.
"""

from dataclasses import dataclass
from typing import Final

from restante.mail.address import Mailbox, canonical_domain
from restante.mail.own_names import is_our_name
from restante.tenancy.model import Directory, HostedDomain, IpAddress

_NOT_PUBLIC: Final = frozenset({"invalid", "local", "localhost"})


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sends the mail, as far as it is known."""

    address: IpAddress
    hello: str  # its EHLO or HELO name
    is_authenticated: bool = False


def is_suspect(
    reverse_path: Mailbox | None,
    recipients: HostedDomain,
    client: Client,
    directory: Directory,
    hostname: str,
) -> bool:
    """Return whether a reverse-path is suspect, given a recipient's domain; `hostname` is ours."""
    if reverse_path is None:
        return False
    if not reverse_path.domain:
        return True  # a report would have nowhere to go
    if client.is_authenticated:
        return False
    try:
        domain = canonical_domain(reverse_path.domain)
    except ValueError:
        return True  # no report could reach it
    if domain.rpartition(".")[0] == "" or domain.rpartition(".")[2] in _NOT_PUBLIC:
        return True
    return _bears_our_name(client, hostname) or _is_home_mail(domain, recipients, client, directory)


def _bears_our_name(client: Client, hostname: str) -> bool:
    """Return whether a client uses our name. Programs on this machine may: it leads to them."""
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
