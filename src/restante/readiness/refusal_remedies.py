"""The remedies for replies by which a destination refuses this server. Pure.

The first pattern that a reply has decides. The texts are those of stock servers: Postfix, Exim,
Exchange, and the filters behind them.
"""

import re
from typing import Final

_REMEDIES: Final = (
    (
        r"cannot find your (reverse )?hostname|reverse (dns|lookup)|no ptr|4\.7\.25",
        "publish A, AAAA and PTR records that lead from the outgoing address to the name and back",
    ),
    (
        r"helo|ehlo",
        "publish an address for the host name, or exempt this server from the rule about EHLO",
    ),
    (
        r"gr[ea]y-?\s?list",
        "nothing is lost: mail is tried again; exempt this server from greylisting for speed",
    ),
    (
        r"block(ed|list)|blacklist|dnsbl|\brbl\b|spamhaus|\blisted\b",
        "ask the blocklist to remove the address, and exempt this server from blocklist rules",
    ),
    (
        r"relay(ing)? (access |not )?(denied|permitted)|(not permitted|unable) to relay",
        "make the domain one that the destination takes mail for",
    ),
    (
        r"too (many|much|fast)|rate|limit|4\.7\.0.*(error|connection)",
        "exempt this server from limits per client, or set --per-minute for the domain",
    ),
    (
        r"spf|dmarc|sender policy",
        "let the filters see the original client: `restante domain snippet DOMAIN --for PROGRAM`",
    ),
    (
        r"auth(entication)? required|5\.7\.0|530",
        "record a login for the destination, or let this server in without one",
    ),
    (
        r"4\.3\.2|postscreen|try again later|service currently unavailable",
        "exempt this server from postscreen: `restante domain snippet DOMAIN --for postfix`",
    ),
    (
        r"user unknown|no such user|5\.1\.1|unknown (user|recipient)",
        "create the mailbox postmaster, which each domain must have (RFC 5321 §4.5.1)",
    ),
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), remedy) for pattern, remedy in _REMEDIES
)
_OTHERWISE: Final = "look for this reply in the log of the destination"


def refusal_remedy(reply: str) -> str:
    """Return the remedy for a refusal."""
    return next((remedy for pattern, remedy in _PATTERNS if pattern.search(reply)), _OTHERWISE)
