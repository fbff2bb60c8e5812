"""Host names that no server on the Internet can have. Pure.

Other mail servers look the name of our greeting up, and some refuse clients whose name cannot be
right. A laboratory may use such a name, so it is a warning.
"""

from typing import Final

# RFC 6761, RFC 6762 with appendix G, RFC 7686, RFC 8375, RFC 9476, and names of home networks.
_NOT_PUBLIC: Final = (
    *("test", "localhost", "invalid", "example", "local", "onion", "home.arpa", "alt"),
    *("intranet", "internal", "private", "corp", "home", "lan", "localdomain"),
)


def flaw_of(hostname: str) -> str:
    """Return why no server can have this name, or "". It is a domain name in canonical spelling."""
    if "." not in hostname:
        return "is not a full name"
    for suffix in _NOT_PUBLIC:
        if hostname.endswith(f".{suffix}"):
            return f"ends in .{suffix}, which public DNS does not have"
    if "_" in hostname:
        return "has an underscore, which a host name may not have (RFC 1123)"
    return ""
