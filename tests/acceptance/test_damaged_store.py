"""A real server on a damaged disk acknowledges nothing that depends on unreadable data."""

from __future__ import annotations

import json
import os
import random
import signal
import smtplib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import apsw
import pytest

from tests.acceptance.installation import HOST, Installation, at
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.server import Login
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message
from tests.acceptance.session import Session
from tests.acceptance.test_s14_notices import listen
from tests.acceptance.webhook_receiver import WebhookReceiver

pytestmark = ON_SQLITE

COUNT: Final = 41
DOMAIN: Final = "alpha.example"
PAGE: Final = 4096
NOISE: Final = random.Random(3).randbytes(PAGE)
EX_DATAERR, EX_TEMPFAIL = 65, 75


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A primary that takes everything."""
    with SmtpSink() as sink:
        sink.start()
        yield sink


@pytest.fixture
def restante(sink: SmtpSink) -> Iterator[Installation]:
    """An installation with little patience, and without mail; made when the sink has its port."""
    with Installation(delivery={"patience": 0.5}) as restante:
        assert restante.mx_port != sink.port
        yield restante


def hosted_with_mail(restante: Installation, sink: SmtpSink, *large: int) -> Login:
    """Host a domain and have mail held: of these numbers in files of their own."""
    login = restante.hosts(DOMAIN, at(sink))
    restante.start()
    with smtplib.SMTP(HOST, restante.mx_port) as session:
        for number in range(COUNT):
            body = b"x" * 70 + b"\r\n"
            content = message(f"number-{number}", body * (8000 if number in large else 40))
            session.sendmail(REVERSE_PATH, [f"you@{DOMAIN}"], content)
    return login


def database(restante: Installation) -> Path:
    return restante.directory / "data" / "restante.db"


def root_of(restante: Installation, name: str) -> int:
    """Return the first page of a table or index, counted from 0."""
    connection = apsw.Connection(str(database(restante)), flags=apsw.SQLITE_OPEN_READONLY)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)
    ).fetchall()[0]
    connection.close()
    assert isinstance(root, int)
    return root - 1


def overwrite(restante: Installation, page: int) -> None:
    with database(restante).open("r+b") as file:
        file.seek(page * PAGE)
        file.write(NOISE)


def put_salvaged_in_place(restante: Installation) -> list[dict[str, str]]:
    """Do as the server says; return what was lost."""
    salvaged = restante.run("store", "salvage", str(restante.directory / "new"), "--json")
    assert salvaged.returncode in (0, EX_DATAERR), salvaged.stderr
    (restante.directory / "data").rename(restante.directory / "damaged")
    (restante.directory / "new").rename(restante.directory / "data")
    lost: list[dict[str, str]] = json.loads(salvaged.stdout)["lost"]
    return lost


@pytest.mark.parametrize(
    "name", ["sqlite_schema", "message", "message_held", "domain", "last_reply", "audit"]
)
def test_a_start_on_a_damaged_database_ends_with_65_and_what_it_names_helps(
    restante: Installation, sink: SmtpSink, name: str
) -> None:
    login = hosted_with_mail(restante, sink)
    restante.stop()
    overwrite(restante, 0 if name == "sqlite_schema" else root_of(restante, name))
    for _ in range(2):  # a service manager that tries again finds the same
        refused = restante.run("serve")
        assert refused.returncode == EX_DATAERR, refused.stderr
        assert "restante store salvage DIR" in refused.stderr
    lost = put_salvaged_in_place(restante)
    restante.start()
    if name == "domain":  # a lost record is recreated, with no destination
        assert restante.shown("domain", "show", DOMAIN)["account"] == "salvaged"
        assert restante.held(DOMAIN) == COUNT
        return
    assert restante.etrn(DOMAIN, login=login).returncode == 0
    named = {finding["message"] for finding in lost if finding["message"]}
    sink.wait_for(COUNT - len(named))
    assert len(named) < 10 or name == "message"


def test_damage_that_a_running_server_meets_ends_it_once(
    restante: Installation, sink: SmtpSink
) -> None:
    """With exit code 75; a notice leaves, and the next start ends with 65."""
    login = hosted_with_mail(restante, sink)
    restante.stop()  # now all of it is in the database, and not in its log
    restante.start()
    with WebhookReceiver() as receiver:
        listen(restante, receiver, "--all-accounts")
        first, spared = root_of(restante, "message"), root_of(restante, "message_held")
        for page in range(first, database(restante).stat().st_size // PAGE):
            if page != spared:
                overwrite(restante, page)
        asked = restante.etrn(DOMAIN, login=login)
        assert restante.wait_until_it_leaves() == EX_TEMPFAIL, restante.log_tail()
        assert asked.returncode in (0, EX_TEMPFAIL), asked.stdout
        assert "malformed" in restante.events("server-failing")[0]["reason"]
        assert "server-failing" in {taken.facts["type"] for taken in receiver.taken}
    assert sink.count() == 0
    assert restante.run("serve").returncode == EX_DATAERR


class Unhurried(Installation):
    """Its server stays though its store has failed."""

    def _program(self) -> Sequence[str | Path]:
        return [sys.executable, Path(__file__).with_name("unhurried_server.py")]


def test_after_damage_mail_is_put_off_and_requests_are_too(sink: SmtpSink) -> None:
    """Until the server exits, DATA and BDAT get 451, in old and new sessions, and ETRN gets 458.

    No deferred message is held afterwards.
    """
    with Unhurried(delivery={"patience": 0.5}) as restante:
        login = hosted_with_mail(restante, sink)
        restante.stop()  # now all of it is in the database, and not in its log
        restante.start()
        with Session(restante.smtps) as asker, Session(restante.mx) as early:
            asker.authenticate(login)
            begin(early)
            assert early.say("DATA").startswith(b"354")
            early._socket.sendall(b"Subject: x\r\n\r\nhalf of it\r\n")
            for page in range(
                root_of(restante, "message"), database(restante).stat().st_size // PAGE
            ):
                overwrite(restante, page)
            if asker.say(f"ETRN {DOMAIN}").startswith(
                b"253"
            ):  # it has met no damage; its drain does
                restante.wait_for_event("attempt-ended", domain=DOMAIN)
            assert asker.say(f"ETRN {DOMAIN}").startswith(b"458 4.3.0 ")
            assert early.say(".").startswith(b"451 4.3.0 ")
            with Session(restante.mx) as late:
                begin(late)
                assert late.say("BDAT 14 LAST\r\nSubject: x\r\n\r").startswith(b"451 4.3.0 ")
                begin(late)
                assert late.say("DATA").startswith(b"354")
                assert late.say("Subject: x\r\n\r\n.").startswith(b"451 4.3.0 ")
        assert not restante.events("mail-held")[COUNT:]
        assert sink.count() == 0
        restante.kill()


def begin(session: Session) -> None:
    """Send what stands before content."""
    assert session.say(f"MAIL FROM:<{REVERSE_PATH}>").startswith(b"250")
    assert session.say(f"RCPT TO:<you@{DOMAIN}>").startswith(b"250")


@pytest.mark.parametrize("how", ["missing", "fifo", "flipped", "link"])
def test_one_damaged_content_is_parked_and_all_other_mail_leaves(
    restante: Installation, sink: SmtpSink, how: str
) -> None:
    login = hosted_with_mail(restante, sink, 7, 20)
    file, _ = sorted((restante.directory / "data" / "content").glob("*/*"))
    if how == "flipped":
        octets = bytearray(file.read_bytes())
        octets[-5] ^= 1
        file.write_bytes(octets)
    else:
        file.unlink()
    if how == "fifo":
        os.mkfifo(file)
    if how == "link":
        file.symlink_to("/etc/passwd")
    assert "253" in restante.etrn(DOMAIN, login=login).stdout
    restante.wait_for_event("drain-finished", domain=DOMAIN)
    sink.wait_for(COUNT - 1)
    [damaged] = restante.events("message-damaged")
    assert (damaged["domain"], damaged["account"]) == (DOMAIN, "alpha")
    assert "251" in restante.etrn(DOMAIN, login=login).stdout
    assert sink.count() == COUNT - 1  # none of them twice
    status = restante.shown("status")
    assert status["store"]["damaged_messages"] == 1
    assert "1 message is damaged" in restante.do("status")


def test_a_killed_server_that_left_damage_says_so_at_its_next_start(
    restante: Installation, sink: SmtpSink
) -> None:
    hosted_with_mail(restante, sink)
    os.kill(restante.pid, signal.SIGKILL)
    restante.wait_until_it_leaves()
    database(restante).write_bytes(b"")
    refused = restante.run("serve")
    assert refused.returncode == EX_DATAERR
    assert "missing or empty" in refused.stderr
    assert eventually(lambda: not restante.is_running, what="no server")


@pytest.mark.parametrize("left", [0, 20_000])
def test_a_log_that_is_cut_ends_the_server_before_it_acknowledges_more(
    restante: Installation, sink: SmtpSink, left: int
) -> None:
    hosted_with_mail(restante, sink)
    os.truncate(database(restante).with_name("restante.db-wal"), left)
    with smtplib.SMTP(HOST, restante.mx_port) as session, pytest.raises(smtplib.SMTPException):
        session.sendmail(REVERSE_PATH, [f"you@{DOMAIN}"], message("after the cut"))
    assert restante.wait_until_it_leaves() == EX_TEMPFAIL, restante.log_tail()
    assert restante.run("serve").returncode == EX_DATAERR
