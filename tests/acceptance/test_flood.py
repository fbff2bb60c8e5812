"""In a flood present clients are served, others are shed at once, and afterwards all is normal."""

from __future__ import annotations

import base64
import hmac
import resource
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Final

import httpx
import pytest

from tests.acceptance.crowd import (
    Crowd,
    addresses,
    descriptors,
    let_us_have,
    memory,
    processor_seconds,
    said,
)
from tests.acceptance.guessers import Guessers
from tests.acceptance.installation import RESTANTE, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.programs import require_root
from tests.acceptance.peers.server import Login, Server
from tests.acceptance.session import TIMEOUT, Session

AWAY: Final = "127.0.0.1:9"
HOME: Final = "127.0.9.9"  # alpha's authorized host
MEBIBYTE: Final = 1024 * 1024
PIECE: Final = b"content\r\n" * 910  # some 8 KiB
PER_SESSION: Final = 16 * 1024  # octets of memory for a session in mid-content, beside the content
CACHES: Final = 48 * MEBIBYTE  # the database's: they fill with whatever mail is held
TOO_BUSY: Final = b"421 4.3.2 mx2.example.net has too many connections, try again later\r\n"


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    """An installation with a domain that holds a message."""
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY, allow=[HOME])
        restante.start()
        with Session(restante.mx) as session:
            deliver(session)
        yield restante


@pytest.fixture
def restante(installed: Installation) -> Iterator[Installation]:
    """It has its configuration back after each test."""
    text = installed.config.read_text()
    yield installed
    installed.config.write_text(text)
    installed.reload()


@pytest.fixture
def login() -> Login:
    """The login of alpha's primary."""
    return Login("alpha", "the-alpha-password")


def limit(restante: Installation, **limits: float) -> None:
    """Have a running server take on limits."""
    restante.config.write_text(f"{restante.config.read_text()}\n{reception(limits)}")
    restante.reload()


def reception(limits: Mapping[str, float]) -> str:
    """Spell that table of the configuration."""
    return "[reception]\n" + "".join(f"{name} = {value}\n" for name, value in limits.items())


def deliver(session: Session, body: str = "A plain line.") -> None:
    """Send a message, which must be taken."""
    begin(session)
    assert session.say(f"Subject: x\r\n\r\n{body}\r\n.").startswith(b"250 2.0.0 OK, held as ")


def begin(session: Session) -> None:
    """Send what stands before content."""
    assert session.say("MAIL FROM:<someone@sender.example>").startswith(b"250")
    assert session.say("RCPT TO:<reader@alpha.example>").startswith(b"250")
    assert session.say("DATA").startswith(b"354")


Say = Callable[[Session, Login], bytes]


def by_plain(session: Session, login: Login) -> bytes:
    """Authenticate by PLAIN."""
    return session.authenticate(login)


def by_cram_md5(session: Session, login: Login) -> bytes:
    """Authenticate by CRAM-MD5."""
    challenge = base64.b64decode(session.say("AUTH CRAM-MD5").split(b" ", 1)[1])
    answer = hmac.new(login.password.encode(), challenge, "md5").hexdigest()
    return session.say(base64.b64encode(f"{login.user} {answer}".encode()).decode())


def is_served(restante: Installation, source: str) -> bool:
    """Whether one more from an address is greeted."""
    with Crowd(restante.mx) as crowd:
        return crowd.come(1, [source]) == {"220": 1}


# More connections than there may be sessions


def test_those_inside_are_served_and_the_rest_are_shed_and_all_recovers(
    restante: Installation, login: Login
) -> None:
    """Two floods: the second leaves no more behind than the first."""
    require_root()
    limit(
        restante, connections_limit=400, unauthenticated_limit=350, connections_per_block_limit=50
    )
    held = restante.held("alpha.example")
    with Crowd(restante.mx) as early:
        early.come(1, ["127.0.7.1"])  # so that every part has been used once
    before = descriptors(restante.pid)
    left_behind = []
    for _ in range(2):
        held += flood(restante, login)
        eventually(
            lambda: descriptors(restante.pid) <= before, what="all descriptors to be given back"
        )
        left_behind.append(memory(restante.pid))

    assert (
        left_behind[1] - left_behind[0] < 4 * MEBIBYTE
    )  # 350 sessions that were not let go of would be more
    assert restante.held("alpha.example") == held
    assert all(
        line["cause"] == "unauthenticated-sessions" for line in restante.events("connections-shed")
    )


def flood(restante: Installation, login: Login) -> int:
    """Let a thousand come while five are served; return how many messages were taken."""
    inside = [Session(restante.mx, source=source) for source in addresses(8, 5)]
    with Crowd(restante.mx) as crowd:
        assert crowd.come(1000, addresses(2, 20)) == {"220": 345, "421": 655}
        for session in inside:
            deliver(session)
            deliver(session, "large\r\n" * 50_000)
        with socket.create_connection((restante.mx.host, restante.mx.port), TIMEOUT) as late:
            assert late.recv(4096) == TOO_BUSY
        assert ask_for_mail(restante, login).startswith(b"253 ")  # there is room for expected hosts
    eventually(
        lambda: is_served(restante, "127.0.2.1"), what="the first of those shed to be served"
    )
    with Crowd(restante.mx) as crowd:
        assert crowd.come(100, addresses(2, 20)) == {"220": 100}
    for session in inside:
        deliver(session)
        session.__exit__()
    return 15


def ask_for_mail(restante: Installation, login: Login) -> bytes:
    """Do what a primary does, from its authorized host; return the answer to ETRN."""
    with Session(restante.smtps, source=HOME) as session:
        assert session.authenticate(login).startswith(b"235")
        return session.say("ETRN alpha.example")


def test_one_address_fills_its_own_share_only(restante: Installation) -> None:
    """And when it has gone it is like any other again."""
    limit(restante, connections_per_block_limit=20)
    with Crowd(restante.mx) as crowd:
        assert crowd.come(60, ["127.0.3.1"]) == {"220": 20, "421": 40}
        with Session(restante.mx, source="127.0.3.2") as other:
            deliver(other)
        restante.wait_for_event("connections-shed", cause="sessions-per-block")
    eventually(lambda: is_served(restante, "127.0.3.1"), what="the flooder to be served")


# More content than there may be in memory


@pytest.mark.parametrize(("senders", "pieces"), [(600, 64), (1000, 7)], ids=["large", "small"])
def test_content_of_many_does_not_make_the_process_grow(
    senders: int, pieces: int, login: Login
) -> None:
    """All are in the middle of their content at once, and all are accepted, by use of the disk."""
    limits = {"octets_in_flight_limit": MEBIBYTE, "connections_per_block_limit": senders}
    with Installation(more=reception(limits)) as restante, ExitStack() as leave:
        restante.hosts("alpha.example", AWAY, allow=[HOME])
        restante.start()
        ask_for_mail(restante, login)  # a check of a password takes much memory, for a moment
        let_us_have(senders + 200)
        sources = addresses(4, 200) * (senders // 200)
        sessions = [leave.enter_context(Session(restante.mx, source=source)) for source in sources]
        for session in sessions:
            begin(session)
        before, after = memory(restante.pid), []
        for number in range(pieces + 1):
            for session in sessions:
                session._socket.sendall(PIECE if number < pieces else b".\r\n")
            after.append(memory(restante.pid))
        for place, session in enumerate(sessions):
            assert session._reply().startswith(b"250 2.0.0 OK, held as ")
            if place % 20 == 0:
                after.append(memory(restante.pid))

        assert max(after) - before < MEBIBYTE + senders * PER_SESSION + CACHES
        assert restante.held("alpha.example") == senders


# Guessers


def test_guessers_keep_neither_the_primary_nor_mail_out(
    restante: Installation, login: Login
) -> None:
    """From its authorized host, with its password, the primary gets its mail despite guesses."""
    with Guessers(restante.smtps, login.user, addresses(10, 40)) as guessers:
        for _ in range(2):
            answered = guessers.answers.total()
            assert ask_for_mail(restante, login).startswith(b"253 ")
            with Session(restante.mx, source="127.0.11.1") as session:
                deliver(session)
            eventually(
                lambda: guessers.answers.total() > answered,  # noqa: B023
                what="the guessers to be answered too",
            )
        eventually(lambda: guessers.answers["535"], what="a guess to be looked at")
    assert guessers.answers.keys() == {"535", "454"}  # a wrong guess, and one that is not looked at


@pytest.mark.parametrize("say", [by_plain, by_cram_md5])
def test_a_primary_does_not_wait_for_the_checks_of_guessers(
    restante: Installation, login: Login, say: Say
) -> None:
    """While thirty guesses wait for their check, the right login is admitted before most."""
    unlimited = 1_000_000
    limit(
        restante,
        authentications_per_minute=unlimited,
        authentication_failures_limit=unlimited,
        errors_limit=unlimited,
        failures_until_refusal=unlimited,
        failure_memory=0.001,  # guesses are answered without delay
    )
    with Guessers(restante.smtps, "nobody", addresses(13, 34)) as guessers:
        eventually(
            lambda: guessers.answers["454"] and guessers.answers["535"], what="the line to be full"
        )
        for _ in range(3):
            with Session(restante.smtps, source=HOME) as session:
                checked = guessers.answers["535"]
                assert say(session, login).startswith(b"235")
                assert guessers.answers["535"] - checked < 10


# Slow senders


def test_those_who_send_an_octet_now_and_then_are_told_to_go(restante: Installation) -> None:
    """Wherever they do it. A client that is slow but fast enough is served to the end."""
    limit(restante, greeting_timeout=2, command_timeout=2, content_timeout=2, minimum_rate=1000)
    with ExitStack() as leave:
        greeted, handshake = (
            leave.enter_context(_connected(server)) for server in (restante.mx, restante.smtps)
        )
        assert greeted.recv(4096).startswith(b"220")
        command, content, chunk, steady = (
            leave.enter_context(Session(restante.mx)) for _ in range(4)
        )
        begin(content)
        begin(steady)
        chunk.say("MAIL FROM:<someone@sender.example>")
        chunk.say("RCPT TO:<reader@alpha.example>")
        chunk._socket.sendall(b"BDAT 1000000 LAST\r\n")
        dribblers = [greeted, command._socket, content._socket, chunk._socket, handshake]
        heard = _dribble(dribblers, steady._socket)
        assert steady.say(".").startswith(b"250 2.0.0 OK, held as ")

    timed_out = b"421 4.4.2 mx2.example.net waited too long, closing connection\r\n"
    assert [heard[each] for each in dribblers] == [timed_out] * 4 + [
        b""
    ]  # in the handshake there is nobody to say it to


def _connected(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), TIMEOUT)


def _dribble(dribblers: list[socket.socket], steady: socket.socket) -> dict[socket.socket, bytes]:
    """Send each an octet now and then until all are closed. Return the replies before that.

    The last is in a TLS handshake.
    """
    heard: dict[socket.socket, bytes] = {}
    hello = iter(client_hello())
    deadline = time.monotonic() + TIMEOUT
    while len(heard) < len(dribblers):
        assert time.monotonic() < deadline, "the dribblers are served for ever"
        left = [each for each in dribblers if each not in heard]
        for each in select.select(left, [], [], 0.05)[0]:
            heard[each] = said(each)
            assert said(each) == b""
        for each in left:
            with suppress(ConnectionError):
                each.sendall(bytes([next(hello)]) if each is dribblers[-1] else b"N")
        steady.sendall((b"x" * 198 + b"\r\n") * 20)  # fast enough on a busy machine too
    return heard


def client_hello() -> bytes:
    """Return the first flight of a TLS client: some five hundred octets."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(
            ssl.MemoryBIO(), outgoing, server_hostname="localhost"
        ).do_handshake()
    return outgoing.read()


# Fewer descriptors than sessions


class Narrow(Installation):
    """An installation whose server may not have many files and sockets."""

    def __init__(self, descriptors: int = 256, *, more: str = "") -> None:
        super().__init__(more=more)
        self._descriptors = descriptors

    def start(self) -> None:
        """Start it within that limit, which it cannot raise."""
        narrow = f'ulimit -n {self._descriptors} && exec "$0" "$@"'
        self._process.start(["/bin/sh", "-c", narrow, RESTANTE, "--config", self.config, "serve"])
        self.await_start()


def test_there_are_no_more_sessions_than_can_all_be_served() -> None:
    """Each of them can have its large content in a file at once, and the rest are told 421."""
    with Narrow() as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        assert restante.events("server-ready")[-1]["sessions_limit"] == 96
        with ExitStack() as leave, Crowd(restante.mx) as crowd:
            sessions = [
                leave.enter_context(Session(restante.mx, source=source))
                for source in addresses(5, 87)
            ]
            assert crowd.come(200, addresses(6, 200)) == {"421": 200}
            for session in sessions:
                begin(session)
                session._socket.sendall(PIECE * 40)
            for session in sessions:
                assert session.say(".").startswith(b"250 2.0.0 OK, held as ")
        assert restante.held("alpha.example") == 87


@pytest.mark.parametrize(("descriptors", "crowd"), [(256, 300), (1024, 3000)])
def test_idle_http_connections_do_not_take_what_mail_needs(descriptors: int, crowd: int) -> None:
    """Far more clients than descriptors, at both ports: mail, operator and scrapes are served."""
    with Narrow(descriptors, more='[telemetry]\nmetrics = "127.0.0.1:0"\n') as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        metrics = restante.events("server-ready")[-1]["metrics"][0]
        host, _, port = metrics.rpartition(":")
        control = str(restante.socket)
        let_us_have(2 * crowd + 400)
        with ExitStack() as leave:
            for _ in range(crowd):
                remote = leave.enter_context(socket.socket())
                remote.setblocking(
                    False
                )  # all at once: one for which there is no room asks again in a second
                remote.connect_ex((host, int(port)))
                idle = leave.enter_context(socket.socket(socket.AF_UNIX))
                idle.connect(control)
            with Session(restante.mx) as session:
                deliver(session)
            assert restante.held("alpha.example") == 1
            assert httpx.get(f"http://{metrics}/metrics", timeout=TIMEOUT).is_success
            for service in ("control", "metrics"):
                restante.wait_for_event(
                    "http-connections-cut", service=service, cause="too-many-connections"
                )
        assert not restante.events("accepts-failed")


def test_a_listener_outlives_the_want_of_descriptors(restante: Installation) -> None:
    """It neither ends nor runs hot; those inside stay, and when some have gone others get in."""
    require_root()
    limit(restante, greeting_timeout=2)
    usual = resource.prlimit(restante.pid, resource.RLIMIT_NOFILE)
    with Session(restante.mx) as inside, Crowd(restante.mx) as crowd:
        few = descriptors(restante.pid) + 10
        resource.prlimit(restante.pid, resource.RLIMIT_NOFILE, (few, usual[1]))
        heard = crowd.come(50, addresses(12, 50))
        assert heard.keys() == {"220", ""}
        eventually(
            lambda: restante.events("accepts-failed"), what="the log to say that there are none"
        )
        began, used = time.monotonic(), processor_seconds(restante.pid)
        assert crowd.inside[0].recv(4096).startswith(b"421 ")  # it has said nothing for two seconds
        assert processor_seconds(restante.pid) - used < (time.monotonic() - began) / 2
        deliver(inside)
        eventually(
            lambda: is_served(restante, "127.0.12.50"), what="one of those hung up on to be served"
        )
    resource.prlimit(restante.pid, resource.RLIMIT_NOFILE, usual)
