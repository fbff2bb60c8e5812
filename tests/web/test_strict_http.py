"""Requests that another server could read in another way are refused."""

import h11
import pytest

from restante.web.strict_http import StrictConnection

HOST = b"Host: restante\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def events(*pieces: bytes) -> list[object]:
    """Receive these pieces, and return all events."""
    connection, found = StrictConnection(), list[object]()
    for piece in pieces:
        connection.receive_data(piece)
        while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            found.append(event)
    return found


def status_of(*pieces: bytes) -> int:
    """Return the status that refuses it."""
    with pytest.raises(h11.RemoteProtocolError) as refused:
        events(*pieces)
    return refused.value.error_status_hint


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n\n x\n\n",
        CHUNKED + b"2\r\nhi\r\n0\r\n\r\n",
        CHUNKED + b"2;x=y\r\nhi\r\n0\r\n\r\n",
    ],
)
def test_plain_requests_are_read(request_: bytes) -> None:
    whole = events(request_)
    assert isinstance(whole[0], h11.Request)
    assert isinstance(whole[-1], h11.EndOfMessage)
    assert len(events(*(request_[at : at + 1] for at in range(len(request_))))) >= len(whole)


@pytest.mark.parametrize(
    "head",
    [
        HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n",
        HOST + b"Content-Length: +4\r\n",
        HOST + b"Content-Length: 4, 5\r\n",
        HOST + b"Content-Length: 0x4\r\n",
        HOST + b"Content-Length : 4\r\n",
        HOST + b"X: a\r\n b\r\n",
        HOST + b"X: a\r\n\tContent-Length: 4\r\n",
        HOST + b"X: a\nContent-Length: 4\r\n",
        HOST + b"X: a\rContent-Length: 4\r\n",
        HOST + b"X: a\x00b\r\n",
        HOST + b"X\x00: b\r\n",
        HOST + b": b\r\n",
        HOST + HOST,
        b"Host: a/b?c\r\n",
        b"Host: a@b\r\n",
        b"Host: [::1\r\n",
        b"Host: a:b\r\n",
        HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
        HOST + b"Content-Type: a/b\r\nContent-Type: c/d\r\n",
        HOST + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n",
        b" Host: restante\r\n",
        b"",
    ],
)
def test_odd_headers_are_refused(head: bytes) -> None:
    assert status_of(b"POST / HTTP/1.1\r\n" + head + b"\r\n0\r\n\r\n") == 400


@pytest.mark.parametrize("host", [b"", b"mx2.example.net:8025", b"[2001:db8::1]:80", b"192.0.2.1"])
def test_hosts_and_ports_are_read(host: bytes) -> None:
    assert events(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")


def test_lines_behind_the_last_chunk_are_refused_in_any_pieces() -> None:
    text = CHUNKED + b"2\r\nhi\r\n0\r\n\n"
    for at in range(1, len(text)):
        assert status_of(text[:at], text[at:]) == 400


def test_a_fold_is_refused_in_any_pieces() -> None:
    text = b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n"
    for at in range(1, len(text)):
        assert status_of(text[:at], text[at:]) == 400


def test_transfer_encoding_is_refused_where_it_may_be_unknown() -> None:
    head = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert status_of(head) == 400
    other = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
    assert status_of(other) in {400, 501}
    twice = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n"
    assert status_of(twice) in {400, 501}


@pytest.mark.parametrize(
    "chunk",
    [
        b"-1\r\n",
        b"0x2\r\nhi\r\n",
        b"g\r\n",
        b" 2\r\nhi\r\n",
        b"2\nhi\n",
        b"2\r\nhiX0\r\n",
        b"2\r\nhi\r\n0\r\nX: y",
        b"2\r\nhi\r\n0\r\nX: y\n",
        b"2\r\nhi\r\n0\r\n\n",
        b"f" * 21,
    ],
)
def test_bad_sizes_of_chunks_are_refused(chunk: bytes) -> None:
    assert status_of(CHUNKED + chunk + b"\r\n\r\n") == 400


def test_a_pipelined_request_is_as_strict_as_the_first() -> None:
    connection = StrictConnection()
    first = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    connection.receive_data(first + b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    with pytest.raises(h11.RemoteProtocolError):
        connection.next_event()


def test_a_large_header_behind_another_request_gets_431() -> None:
    connection, first = StrictConnection(), b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    connection.receive_data(first + b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    connection.send(h11.Response(status_code=200, headers=[(b"content-length", b"0")]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    with pytest.raises(h11.RemoteProtocolError) as refused:
        connection.next_event()
    assert refused.value.error_status_hint == 431


def test_too_many_lines_and_too_many_octets_get_431() -> None:
    start = b"GET / HTTP/1.1\r\n" + HOST
    assert status_of(start + b"A: b\r\n" * 200) == 431
    assert status_of(start, b"X: " + b"a" * 9000) == 431
    assert status_of(b"G" * 9000) in {400, 431}


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        (b"http://restante:8025/v1/status?a=b", b"restante:8025", b"/v1/status?a=b"),
        (b"HTTPS://restante/", b"restante", b"/"),
        (b"http://restante", b"restante", b"/"),
        (b"http://restante?a=/b", b"restante", b"/?a=/b"),
        (b"http://[::1]:8025/x", b"[::1]:8025", b"/x"),
        (b"http://restante//x", b"restante", b"//x"),
        (b"/http://other/", b"of.the.request", b"/http://other/"),
        (b"/x?next=http://other/", b"of.the.request", b"/x?next=http://other/"),
    ],
)
def test_a_target_in_absolute_form_is_its_path_at_its_host(
    target: bytes, host: bytes, path: bytes
) -> None:
    [request, _] = events(b"GET " + target + b" HTTP/1.1\r\nHost: of.the.request\r\nX: y\r\n\r\n")
    assert isinstance(request, h11.Request)
    assert request.target == path
    assert sorted(request.headers) == [(b"host", host), (b"x", b"y")]


@pytest.mark.parametrize(
    "target",
    [
        b"ftp://restante/",
        b"http:///v1/status",
        b"http://user@restante/",
        b"http://user:secret@restante/",
        b"http://restante\\@other/",
        b"http://restante:port/",
        b"http://restante#x",
        b"file:///etc/passwd",
    ],
)
def test_other_absolute_targets_are_refused(target: bytes) -> None:
    assert status_of(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n") == 400
