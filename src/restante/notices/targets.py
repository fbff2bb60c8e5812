"""The targets of notices, and the visible part of each. Pure. No error repeats its input.

The input may be a secret.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from restante.mail.address import canonical_domain, split_mailbox
from restante.network.late_module import LateModule

if TYPE_CHECKING:
    import httpx
else:
    httpx = LateModule("httpx")

MAX_URL: Final = 2000  # characters
_PORTS: Final = range(1, 65536)
_LOCAL_PART: Final = re.compile(
    r"""[^\s"(),:;<>@\[\\\]\x00-\x20\x7f]{1,64}\Z"""
)  # no quoted ones: nobody uses them


class NotAChannelTarget(ValueError):  # noqa: N818  a refusal
    """It cannot be one. `remedy` says what would be."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


def read_webhook(text: str, *, is_plain_allowed: bool) -> tuple[str, str]:
    """Return a webhook's URL, and a form that may be shown. Raises NotAChannelTarget."""
    url = _parse(text)
    if (
        url.scheme not in ("https", "http")
        or not url.host
        or (url.port is not None and url.port not in _PORTS)
    ):
        raise NotAChannelTarget("not an HTTP URL", "write https://HOST/PATH")
    if url.userinfo:
        raise NotAChannelTarget(
            "a URL with a user name or password, which is not sent",
            "put the token into path or query",
        )
    if url.scheme == "http" and not (is_plain_allowed or _is_loopback(url.host)):
        raise NotAChannelTarget(
            "plain HTTP can be read on its way", "write https://, or give --insecure"
        )
    return str(url.copy_with(fragment=None)), _shown(url)


def _parse(text: str) -> httpx.URL:
    try:
        if len(text) <= MAX_URL and text.isprintable() and text.isascii():
            return httpx.URL(text.strip())
    except httpx.InvalidURL:
        pass
    raise NotAChannelTarget(
        "not a URL", f"write https://HOST/PATH, at most {MAX_URL} ASCII characters"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: httpx.URL) -> str:
    """Return scheme, host and port: tokens can be in the path, the query and the user name."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.port else ""
    more = "…" if url.raw_path != b"/" or url.userinfo else ""
    return f"{url.scheme}://{host}{port}/{more}"


def read_mail_address(text: str) -> str:
    """Return a mail address with its domain in the canonical form. Raises NotAChannelTarget."""
    local_part, domain = split_mailbox(text.strip())
    try:
        if _LOCAL_PART.match(local_part) and local_part.isprintable() and "." in domain:
            return f"{local_part}@{canonical_domain(domain)}"
    except ValueError:
        pass
    raise NotAChannelTarget("not a mail address", "write one such as ops@example.org")
