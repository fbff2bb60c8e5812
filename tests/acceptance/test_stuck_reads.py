"""Disk reads that never return keep a real server neither from other work nor from stopping."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import ALPHA, RESTANTE, Installation, at
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.programs import require
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

pytestmark = ON_SQLITE

DOMAIN: Final = "alpha.example"
LARGE: Final = b"a line of it\r\n" * 50_000  # in a file of its own
LONGEST: Final = 50.0  # seconds that a stop may take, whatever hangs
SOURCE: Final = Path(__file__).with_name("stuck_reads.c")


class Stuck(Installation):
    """An installation whose server can be made to wait for a read without end."""

    def __init__(self) -> None:
        super().__init__()
        self._library = self.directory / "stuck_reads.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self._library, SOURCE, "-ldl"], check=True)
        self.rule = self.directory / "stuck"

    def _program(self) -> Sequence[str | Path]:
        return ["env", f"LD_PRELOAD={self._library}", f"STUCK_READS={self.rule}", RESTANTE]

    def stick(self, pattern: str) -> None:
        """Let reads of files whose path matches hang from now on."""
        renewed = self.rule.with_suffix(".new")
        renewed.write_text(pattern)
        renewed.rename(self.rule)

    def wait_until_one_hangs(self) -> None:
        eventually(Path(f"{self.rule}.met").exists, what="a read to hang")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        sink.start()
        yield sink


@pytest.fixture
def restante(sink: SmtpSink) -> Iterator[Stuck]:
    """It holds a large message, whose content is in a file."""
    require("cc")
    with Stuck() as restante:
        assert restante.mx_port != sink.port
        restante.hosts(DOMAIN, at(sink), allow=["127.0.0.1"])
        restante.start()
        send(restante.mx, f"reader@{DOMAIN}", content=message("large", LARGE))
        yield restante


def test_a_server_whose_read_of_content_hangs_ends_by_sigterm(
    restante: Stuck, sink: SmtpSink
) -> None:
    """It takes mail until then, loses none, and hands all of it over once the disk is well."""
    restante.stick("*/data/content/*")
    with Session(restante.smtps) as session:
        session.authenticate(ALPHA)
        assert session.say(f"ETRN {DOMAIN}").startswith(b"253")
    restante.wait_until_one_hangs()
    send(restante.mx, f"reader@{DOMAIN}", content=message("small"))
    restante.stop()
    restante.rule.unlink()
    restante.start()
    sink.wait_for(2)


def test_a_server_whose_read_of_the_database_hangs_ends_by_sigterm(
    restante: Stuck, sink: SmtpSink
) -> None:
    restante.stop()
    restante.start()  # no page is in memory but those that a start reads
    with Session(restante.smtps) as session:
        session.authenticate(ALPHA)
        restante.stick("*/data/restante.db")
        session._socket.sendall(f"ETRN {DOMAIN}\r\n".encode())
        restante.wait_until_one_hangs()
        assert restante._process.end_by(signal.SIGTERM, patience=LONGEST) in (0, 75)
    restante.rule.unlink()
    restante.start()
    sink.wait_for(1)
