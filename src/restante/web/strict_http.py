"""HTTP/1.1 as strict as a server behind unknown proxies has to be (RFC 9112).

h11 accepts some forms that another server may read in another way. Two readings of one request are
how requests are smuggled past a proxy (RFC 9112, section 11.2). These forms are refused:

- folded header lines (section 5.2) and line ends without CR (section 2.2);
- Content-Length with Transfer-Encoding, and Transfer-Encoding in HTTP/1.0 (section 6.1);
- other versions of HTTP, and a header of too many octets or lines;
- a Host that is no host and port (section 3.2): addresses of requests are made from it;
- a target in absolute form of another scheme than http or https, or with a user name;
- a second field of those that name the client or its request: readers choose different ones;
- lines behind the last chunk (section 7.1.2), whose end can be read in two ways.

A target in absolute form is read as the same target in origin form. Its host replaces the Host of
the request, as section 3.2.2 demands.
"""

import re
from typing import Final

import h11

HEADER_OCTETS: Final = 8192  # of a request's header; a little more if it arrives at once
HEADER_LINES: Final = 100
_VERSIONS: Final = (b"1.1", b"1.0")
_MOST_OCTETS: Final = HEADER_OCTETS * 3 // 2
_TOO_LARGE: Final = 431
_NOT_SUPPORTED: Final = 505
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?\Z")
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?]*)(.*)")
_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
_SINGLE: Final = (b"authorization", b"content-type", b"idempotency-key")
_FOLD_OR_BARE_LF: Final = re.compile(rb"\n[ \t]|(?<!\r)\n|\A\n")

HttpEvent = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class StrictConnection(h11.Connection):
    """The server's side of one connection."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEADER_OCTETS)

    def next_event(self) -> HttpEvent:
        """Return what was received next. Raises RemoteProtocolError with the fitting status."""
        if self.their_state is h11.IDLE:
            _refuse_odd_lines(self.trailing_data[0])
        before = self.trailing_data[0] if self.their_state is h11.SEND_BODY else b""
        event = super().next_event()
        if isinstance(event, h11.Request):
            _refuse_ambiguous(event)
            event = _in_origin_form(event)
        if isinstance(event, h11.EndOfMessage) and before:
            end = before[: len(before) - len(self.trailing_data[0])]
            if event.headers or (end and not end.endswith(b"\r\n")):
                raise h11.RemoteProtocolError("lines behind the last chunk")
        return event


def _refuse_odd_lines(received: bytes) -> None:
    """Refuse a header, or the part of it that has arrived."""
    end = _HEADER_END.search(received)
    head = received if end is None else received[: end.end()]
    if _FOLD_OR_BARE_LF.search(head):
        raise h11.RemoteProtocolError("folded header line or bare line feed")
    if len(head) > _MOST_OCTETS:  # it came while the request before it was at work
        raise h11.RemoteProtocolError("large header", error_status_hint=_TOO_LARGE)
    if head.count(b"\n") > HEADER_LINES + 2:  # the first line and the empty one
        raise h11.RemoteProtocolError("too many header lines", error_status_hint=_TOO_LARGE)


def _refuse_ambiguous(request: h11.Request) -> None:
    """Refuse a request whose end can be read in two ways."""
    if request.http_version not in _VERSIONS:
        raise h11.RemoteProtocolError("other version of HTTP", error_status_hint=_NOT_SUPPORTED)
    names = [name for name, _ in request.headers]
    if any(names.count(name) > 1 for name in _SINGLE):
        raise h11.RemoteProtocolError("a field that may be there once")
    if not all(_HOST.match(value) for name, value in request.headers if name == b"host"):
        raise h11.RemoteProtocolError("Host is not a host and port")
    is_chunked = b"transfer-encoding" in names
    if is_chunked and b"content-length" in names:
        raise h11.RemoteProtocolError("Content-Length with Transfer-Encoding")
    if is_chunked and request.http_version < b"1.1":
        raise h11.RemoteProtocolError("Transfer-Encoding in HTTP/1.0")


def _in_origin_form(request: h11.Request) -> h11.Request:
    """Return a request whose target is a path, also if it came in absolute form."""
    if not _SCHEME.match(request.target):
        return request
    found = _ABSOLUTE.fullmatch(request.target)
    if found is None or not found[1] or not _HOST.match(found[1]):
        raise h11.RemoteProtocolError("absolute form without a host, or of another scheme")
    others = [(name, value) for name, value in request.headers if name != b"host"]
    path = found[2] if found[2].startswith(b"/") else b"/" + found[2]
    return h11.Request(
        method=request.method,
        target=path,
        headers=[(b"host", found[1]), *others],
        http_version=request.http_version,
    )
