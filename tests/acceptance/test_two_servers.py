"""Two servers share one store: mail taken at one leaves by the other, also after a SIGKILL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import ALPHA, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.server import Login
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.session import Session

COUNT: Final = 1000  # a busy machine sees the drain under way; a list shows no more
BEGUN: Final = 10  # messages that have left by then
WINDOW: Final = 64  # messages that one connection may have handed over without a record of it
GUESSES: Final = 3
STRICT: Final = f"[reception]\nfailures_until_refusal = {GUESSES}\n"
OUR_NAME: Final = re.compile(r"^\tby mx2\.example\.net with \w+ id (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def first(database: str) -> Iterator[Installation]:
    """A server."""
    with Installation(database=database, more=STRICT) as first:
        first.start()
        first.has_account("alpha")
        yield first


@pytest.fixture(scope="module")
def second(database: str, first: Installation) -> Iterator[Installation]:
    """Another server on the same store."""
    with Installation(database=database, more=STRICT) as second:
        second.start()
        yield second


@pytest.fixture
def primary() -> Iterator[SmtpSink]:
    """A primary that keeps what it takes, off."""
    with SmtpSink(keep_content=True) as primary:
        yield primary


def test_mail_that_one_server_took_leaves_by_the_other(
    first: Installation, second: Installation, primary: SmtpSink
) -> None:
    first.hosts("shared.example", at(primary))
    wait_until_known(second, "shared.example")
    send(first.mx, "reader@shared.example", content=message("shared"))
    primary.start()
    assert second.etrn("shared.example", login=ALPHA).returncode == 0
    second.wait_for_event("drain-finished", domain="shared.example", held=0)
    assert not first.events("drain-started", domain="shared.example")
    eventually(lambda: first.held("shared.example") == 0, what="the first server to know")
    assert primary.count() == 1


def test_a_server_knows_what_another_has_changed(
    first: Installation, second: Installation, primary: SmtpSink
) -> None:
    login = first.has_account("beta")
    first.hosts("known.example", at(primary))
    wait_until_known(second, "known.example")
    with Session(second.smtps) as asker:
        assert asker.authenticate(login).startswith(b"235")

    first.do("login", "remove", "beta", "beta", "--reason", "left")
    first.hosts("later.example", at(primary))
    wait_until_known(second, "later.example")
    with Session(second.smtps) as asker:
        assert asker.authenticate(login).startswith(b"535")


def wait_until_known(server: Installation, domain: str) -> None:
    """Return when a server accepts mail for a domain."""
    with Session(server.mx) as sender:
        sender.say("MAIL FROM:<a@b.example>")
        eventually(
            lambda: sender.say(f"RCPT TO:<reader@{domain}>").startswith(b"250"),
            what=f"{domain} at another server",
        )


def test_a_killed_server_s_drain_is_taken_over(
    first: Installation, second: Installation, primary: SmtpSink
) -> None:
    """No loss, and at most one window of copies of each connection."""
    login = first.hosts("killed.example", at(primary), "--connections", "1")
    wait_until_known(second, "killed.example")
    sent = smtp_source_sends(
        second.mx,
        reverse_path=REVERSE_PATH,
        forward_path="reader@killed.example",
        count=COUNT,
        sessions=20,
        size=2000,
    )
    assert sent.returncode == 0, sent.stdout
    held = {one["name"] for one in second.shown("queue", "list", "killed.example")}
    assert first.etrn("killed.example", login=login).returncode == 0
    primary.start()
    eventually(lambda: primary.count() > BEGUN, what="the drain to be on its way")
    first.kill()
    assert primary.count() < COUNT, "it was over too soon for this test"
    eventually(
        lambda: second.events("message-delivered", domain="killed.example"),
        what="the takeover",
    )
    # Its figure `held` can lack the last work of the killed server for a second or two.
    second.wait_for_event("drain-finished", domain="killed.example", end="finished")
    eventually(lambda: second.held("killed.example") == 0, what="the figures to be right")
    got = names_at(primary)
    assert got.keys() == held
    assert got.total() <= COUNT + WINDOW
    first.start()


def names_at(primary: SmtpSink) -> Counter[str]:
    """Count what a primary has, by the names in our Received fields."""
    return Counter(name for raw in primary.messages() for name in OUR_NAME.findall(raw.decode()))


def test_a_guesser_gets_no_more_tries_from_two_servers(
    first: Installation, second: Installation
) -> None:
    """Also with the right password in the end, from a host that is not authorized."""
    login = first.has_account("guessed")
    eventually(
        lambda: second.shown("login", "list", login.user),
        what="the second server to know the login",
    )
    # Earlier tests may have left a failure of this address: it counts too.
    answers = []
    for _ in range(GUESSES + 1):
        with Session(first.smtps) as guesser:
            answers.append(guesser.authenticate(Login(login.user, "wrong"))[:3])
    assert answers[0] == b"535"
    assert answers[-1] == b"454"

    def is_refused() -> bool:
        with Session(second.smtps) as guesser:
            return guesser.authenticate(login).startswith(b"454")

    eventually(is_refused, what="the second server to know the failures")


def test_a_server_with_another_key_refuses_to_start(database: str, first: Installation) -> None:
    with Installation(database=database) as stranger:
        (stranger.directory / "restante.key").write_bytes(bytes(32))
        ended = stranger.run("serve")
        assert ended.returncode == 78
        assert (
            "differs from the key file of the other servers of this store" in ended.stderr
            or "the mail of this store is sealed under another key file" in ended.stderr
        )
