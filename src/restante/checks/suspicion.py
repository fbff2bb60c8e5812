"""Whether a reverse-path belongs to the client that sends the mail: the first of the checks.

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

Where a domain's policy says so (`own_domain`), mail with the first sign is deferred with 450.

Authenticated clients are trusted. For the first sign, so is a client at an authorized host of the
domain. So a customer can say that its mail comes from other hosts than the primary. An authorized
network of every address says nothing.

Rejected ideas:

- SPF, and whether a client's name leads to its address, need look-ups in the client's time.
- A reverse-path of another account is no sign. Customers of one platform write to each other, and
  that mail comes here while the recipient's primary is down.
- Unknown recipients beside known ones also come from old mailing lists.
"""

from typing import Final

from restante.checks.check import ClientFacts, ExaminedRecipient, SimpleCheck
from restante.checks.verdict import PASSED, CheckPassed, CheckVerdict, refuse
from restante.mail.address import Mailbox, canonical_domain
from restante.mail.own_names import is_our_name
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import Directory, HostedDomain, IpAddress
from restante.tenancy.policy import OwnDomainPolicy

_NOT_PUBLIC: Final = frozenset({"invalid", "local", "localhost"})


_NO_DOMAIN: Final = "the reverse-path has no domain"
_NOT_PUBLIC_DOMAIN: Final = "the domain of the reverse-path is not public"
_OUR_NAME: Final = "the client uses our name"
_INTERNAL_MAIL: Final = "the reverse-path is of the recipient's own server"


class SuspicionCheck(SimpleCheck):
    """Marks mail as suspect. It needs the directory in memory alone."""

    name = "suspicion"

    def __init__(self, directory: LiveDirectory) -> None:
        self._directory = directory

    def recipient(self, facts: ExaminedRecipient) -> CheckVerdict:
        """Compare the reverse-path with the client and this recipient."""
        directory = self._directory.now
        if facts.domain.policy.own_domain is OwnDomainPolicy.DEFER and is_own_mail(
            facts, directory
        ):
            return refuse(450, "4.7.1", "Not now: mail of this domain from outside", _INTERNAL_MAIL)
        sign = sign_of_forgery(facts, directory)
        return CheckPassed((sign,), is_suspect=True) if sign else PASSED


def sign_of_forgery(facts: ExaminedRecipient, directory: Directory) -> str:
    """Return why a reverse-path is suspect, given a recipient; "" if it is not."""
    reverse_path, client = facts.reverse_path, facts.client
    if reverse_path is None:
        return ""
    if not reverse_path.domain:
        return _NO_DOMAIN  # a report would have nowhere to go
    if client.is_authenticated:
        return ""
    domain = _public_domain(reverse_path)
    if domain is None:
        return _NOT_PUBLIC_DOMAIN  # no report could reach it
    if _bears_our_name(client):
        return _OUR_NAME
    return _INTERNAL_MAIL if _is_internal_mail(domain, facts.domain, client, directory) else ""


def is_own_mail(facts: ExaminedRecipient, directory: Directory) -> bool:
    """Return whether mail from outside has a reverse-path of the recipient's own server."""
    path = facts.reverse_path
    if path is None or facts.client.is_authenticated:
        return False
    domain = _public_domain(path)
    return domain is not None and _is_internal_mail(domain, facts.domain, facts.client, directory)


def _public_domain(path: Mailbox) -> str | None:
    try:
        domain = canonical_domain(path.domain)
    except ValueError:
        return None
    parent, _, top = domain.rpartition(".")
    return domain if parent and top not in _NOT_PUBLIC else None


def _bears_our_name(client: ClientFacts) -> bool:
    """Return whether a client uses our name. Programs on this machine may: it leads to them."""
    return not client.address.is_loopback and is_our_name(client.hello, client.hostname)


def _is_internal_mail(
    name: str, recipients: HostedDomain, client: ClientFacts, directory: Directory
) -> bool:
    sender = recipients if name == recipients.name else directory.domains.get(name)
    if sender is None or sender.account != recipients.account:
        return False
    if (sender.destination.host, sender.destination.port) != (
        recipients.destination.host,
        recipients.destination.port,
    ):
        return False
    return not comes_from_own_host(sender, client.address)


def comes_from_own_host(domain: HostedDomain, address: IpAddress) -> bool:
    """Return whether an authorized network has an address; one of all addresses says nothing."""
    return any(
        network.prefixlen and address in network for network in domain.authorized_hosts.networks
    )
