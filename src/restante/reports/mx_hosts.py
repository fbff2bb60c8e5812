"""The hosts for a report: the public MX records of its domain (RFC 5321 §5.1, RFC 7505).

Only here do MX records count. Held mail never gets here: it goes to the destination on record
(route.py).
"""

from collections.abc import Sequence

from restante.network.resolver import MxRecord


class NoMailHost(Exception):  # noqa: N818
    """No host takes mail for the domain, or only ourselves. Permanent. The text says why."""


def mail_hosts(domain: str, exchangers: Sequence[MxRecord], hostname: str) -> tuple[str, ...]:
    """Return the hosts to try, in order.

    `exchangers` are sorted by preference; none means that there is no MX record. A null MX beside
    others is a mistake (RFC 7505 §3) and is skipped. If we are an MX ourselves, hosts with no
    better preference are left out (§5.1): they would return the mail. Raises NoMailHost.
    """
    if not exchangers:
        return (domain,)
    named = [exchanger for exchanger in exchangers if exchanger.host]
    if not named:
        raise NoMailHost(f"{domain} takes no mail (null MX)")
    own = [exchanger.preference for exchanger in named if exchanger.host == hostname]
    hosts = [exchanger.host for exchanger in named if not own or exchanger.preference < min(own)]
    if not hosts:
        raise NoMailHost(f"the mail of {domain} comes to this server itself")
    return tuple(dict.fromkeys(hosts))
