"""Reading a URL of HTTP. Pure."""

from urllib.parse import SplitResult, urlsplit


def web_url(text: str) -> SplitResult | None:
    """Return the parts of a URL of HTTP; None if it is none."""
    try:
        url = urlsplit(text)
        is_fit = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # the host is no address, or the port no number
        return None
    return url if is_fit else None
