"""Import from Postfix and export to it, with the real programs. An import can be repeated."""

from __future__ import annotations

import json
import re
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import RESTANTE, Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import run
from tests.acceptance.peers.senders import swaks_sends
from tests.acceptance.peers.server import Server
from tests.acceptance.sample import DIFFICULT, REVERSE_PATH

MANY: Final = 1200
HUGE: Final = 600_000  # lines: 46 MB
MEASURED: Final = """
import sys
from restante.cli import main
code = main(sys.argv[1:])
print(open("/proc/self/status").read(), file=sys.stderr)
sys.exit(code)
"""
LITTLE: Final = 24 * 1024  # KiB
AROUND: Final = {
    "mbox": (b"From a@sender.example Thu Oct 09 08:53:20 2025\n", b"\n"),
    "postcat": (
        (
            b"*** ENVELOPE RECORDS E ***\n"
            b"sender: \n"
            b"recipient: x@postcat.example\n"
            b"*** MESSAGE CONTENTS E ***\n"
        ),
        b"*** HEADER EXTRACTED E ***\n*** MESSAGE FILE END E ***\n",
    ),
}


class OldPostfix(PostfixPrimary):
    """A Postfix that keeps mail, as a backup MX does whose primary is away."""

    def queued(self) -> list[str]:
        """Return the queue ids of deferred mail."""
        listed = run("postqueue", "-c", self._top / "etc", "-j").stdout.splitlines()
        return [
            entry["queue_id"]
            for entry in map(json.loads, listed)
            if entry["queue_name"] == "deferred"
        ]

    def print_queue(self, directory: Path) -> None:
        """Do as docs/how-to/move-in-and-out.md says."""
        directory.mkdir()
        for queue_id in self.queued():
            printed = subprocess.run(
                ["postcat", "-c", self._top / "etc", "-q", queue_id],
                check=True,
                capture_output=True,
            )
            (directory / queue_id).write_bytes(printed.stdout)

    def deliver(self) -> None:
        """Release the held mail, as `postqueue -f` does."""
        assert run("postqueue", "-c", self._top / "etc", "-f").returncode == 0


@pytest.fixture
def old() -> Iterator[OldPostfix]:
    with OldPostfix(
        ["alpha.example", "beta.example"], settings={"defer_transports": "virtual"}
    ) as old:
        old.start()
        yield old


def below_received(raw: bytes) -> bytes:
    """The sender's part of a message, below the trace fields."""
    return raw[raw.index(b"X-Marker:") :]


def test_mail_moves_from_postfix_to_restante_and_on_to_the_primary_as_it_was_sent(
    old: OldPostfix, restante: Installation, tmp_path: Path
) -> None:
    server = Server(old.address, old.port)
    for content in DIFFICULT:
        sent = swaks_sends(
            server,
            reverse_path=REVERSE_PATH,
            forward_paths=["x@alpha.example", "y@alpha.example", "z@beta.example"],
            content=content,
        )
        assert sent.returncode == 0, sent.stdout[-2000:]
    report = b"X-Marker: report\r\nSubject: report\r\n\r\n"
    swaks_sends(server, reverse_path="", forward_paths=["x@alpha.example"], content=report)
    eventually(
        lambda: len(old.queued()) == len(DIFFICULT) + 1, what="Postfix to have deferred it all"
    )
    old.print_queue(tmp_path / "queue")
    with PostfixPrimary(["alpha.example"]) as primary:
        restante.hosts("alpha.example", at(primary))
        imported = restante.run(
            "queue", "import", str(tmp_path / "queue"), "--domain", "alpha.example"
        )
        assert imported.returncode == 65  # beta.example is not hosted here: each message says so
        assert imported.stderr.count("<z@beta.example>") == len(DIFFICULT)
        assert restante.held("alpha.example") == len(DIFFICULT) + 1
        [first, *_] = restante.shown("queue", "list", "alpha.example")
        assert {one["forward_path"] for one in first["recipients"]} <= {
            "x@alpha.example",
            "y@alpha.example",
        }
        again = restante.run(
            "queue", "import", str(tmp_path / "queue"), "--domain", "alpha.example"
        )
        assert (
            again.stdout == f"0 messages, 0 B, are held; {len(DIFFICULT) + 1} were held already\n"
        )
        primary.start()
        restante.do("release", "alpha.example")
        arrived = primary.wait_for(2 * len(DIFFICULT) + 1)
    sent_twice = sorted([*DIFFICULT, *DIFFICULT, report])
    assert sorted(below_received(raw).replace(b"\n", b"\r\n") for raw in arrived) == sent_twice
    paths = {message_from_bytes(raw)["Return-Path"] for raw in arrived}
    assert paths == {f"<{REVERSE_PATH}>", "<>"}
    traces = [message_from_bytes(raw).get_all("Received", []) for raw in arrived]
    assert {len(trace) for trace in traces} == {
        2
    }  # the old Postfix' and the primary's: an import adds none


def test_dsn_parameters_from_postfix_are_kept(
    old: OldPostfix, restante: Installation, tmp_path: Path
) -> None:
    restante.hosts("beta.example", "192.0.2.1")
    with smtplib.SMTP(old.address, old.port) as client:
        client.ehlo()
        client.mail("a@sender.example", ["RET=HDRS", "ENVID=QQ+2B314"])
        client.rcpt(
            "x@beta.example", ["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Info+2Bx@beta.example"]
        )
        client.rcpt("y@beta.example")
        client.data(b"Subject: with wishes\r\n\r\n")
    eventually(lambda: len(old.queued()) == 1, what="Postfix to have deferred it")
    old.print_queue(tmp_path / "queue")
    restante.do("queue", "import", str(tmp_path / "queue"), "--domain", "beta.example")
    restante.do("queue", "export", str(tmp_path / "out"), "--domain", "beta.example")
    [side] = (tmp_path / "out").glob("*.json")
    assert json.loads(side.read_text())["dsn"] == {
        "ret": "HDRS",
        "envid": "QQ+2B314",
        "recipients": {
            "x@beta.example": {"notify": "SUCCESS,DELAY", "orcpt": "rfc822;Info+2Bx@beta.example"}
        },
    }


def test_word_of_delay_that_was_given_in_one_place_is_not_given_again_in_another(
    names: NameServer, home: Primary, tmp_path: Path
) -> None:
    """Two late messages move. The first one's sender has a report; the second's gets one now."""
    # Nobody listens at this port, so reports wait.
    settings = f"{names.settings}\n[reports]\nport = {home.port}\n"
    with Installation(more=settings) as old:
        old.hosts("november.example", "192.0.2.1")
        bring_in_late_mail(old, tmp_path, "first")
        old.start()
        old.wait_for_event("report-made", action="delayed")
        bring_in_late_mail(
            old, tmp_path, "second"
        )  # nobody looks for such mail again within the next minutes
        old.do("queue", "export", str(tmp_path / "out"), "--format", "maildir")
    with Installation(more=settings) as new:
        new.hosts("november.example", "192.0.2.1")
        new.do("queue", "import", str(tmp_path / "out"))
        new.start()
        told = new.wait_for_event("report-made", action="delayed")["message"]
        assert [one["message"] for one in new.shown("report", "list")] == [told]
        assert "1 report to a sender waits to be sent, for " in new.do("status")
        assert new.do("queue", "show", told, "--raw") == "Subject: second\n\n"


def bring_in_late_mail(restante: Installation, directory: Path, name: str) -> None:
    """Bring in old mail whose sender asked for reports of delay."""
    facts = {
        "reverse_path": REVERSE_PATH,
        "recipients": [{"forward_path": "x@november.example"}],
        "received_at": "2025-10-01T00:00:00Z",
        "needs_smtputf8": False,
        "dsn": {"recipients": {"x@november.example": {"notify": "DELAY"}}},
    }
    (directory / f"{name}.json").write_text(json.dumps(facts))
    (directory / f"{name}.eml").write_bytes(b"Subject: %s\r\n\r\n" % name.encode())
    restante.do("queue", "import", str(directory / f"{name}.eml"))


@pytest.mark.parametrize("style", ["mbox", "postcat"])
def test_a_very_large_message_is_never_whole_in_memory(
    restante: Installation, tmp_path: Path, style: str
) -> None:
    """Neither that of the import, nor of the server, nor of the export."""
    domain = f"{style}.example"
    restante.hosts(domain, "192.0.2.1")
    options = ("--reverse-path", "<>", "--to", f"x@{domain}")
    small, large = tmp_path / "small", tmp_path / "large"
    begin, end = AROUND[style]
    small.write_bytes(begin + b"Subject: small\n\n" + end)
    with large.open("wb") as file:
        file.write(begin + b"Subject: large\n\n")
        for _ in range(HUGE):
            file.write(b"x" * 75 + b"\n")
        file.write(end)
    memory = [peak(restante.config, "queue", "import", "--format", style, *options, str(small))]
    before = server_peak(restante)
    memory.append(peak(restante.config, "queue", "import", "--format", style, *options, str(large)))
    memory.append(
        peak(restante.config, "queue", "export", str(tmp_path / "out"), "--domain", domain)
    )
    assert restante.shown("domain", "show", domain)["octets"] > HUGE * 77
    assert max(memory) - memory[0] < LITTLE
    assert server_peak(restante) - before < LITTLE


def peak(config: Path, *words: str) -> int:
    """Run a command that must succeed, and return the most memory that its process had, in KiB."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, "--config", config, *words],
        check=True,
        capture_output=True,
    )
    return peak_in(told.stderr.decode())


def server_peak(restante: Installation) -> int:
    """Return the most memory that the server has had, in KiB."""
    return peak_in(Path(f"/proc/{restante.pid}/status").read_text())


def peak_in(status: str) -> int:
    """Read it from /proc: ru_maxrss would include the process that this one was forked from."""
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1])


def test_an_import_that_is_killed_is_repeated_and_nothing_is_lost_or_doubled(
    restante: Installation, tmp_path: Path
) -> None:
    restante.hosts("kilo.example", "192.0.2.1")
    source = tmp_path / "mail"
    source.mkdir()
    for number in range(MANY):
        (source / f"{number:05}.eml").write_bytes(
            b"Return-Path: <>\nX-Original-To: x@kilo.example\n\n%d\n" % number
        )
    command: list[str | Path] = [RESTANTE, "--config", restante.config, "queue", "import", source]
    for held in (1, MANY // 2):
        importing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(
            lambda least=held: restante.held("kilo.example") >= least,  # type: ignore[misc]
            what="some to be held",
        )
        importing.send_signal(signal.SIGKILL)
        importing.wait()
    assert restante.run("queue", "import", str(source)).returncode == 0
    assert restante.held("kilo.example") == MANY
    out = tmp_path / "out"
    restante.do("queue", "export", str(out), "--domain", "kilo.example")
    assert {file.read_bytes() for file in out.glob("*.eml")} == {
        b"\r\n%d\r\n" % number for number in range(MANY)
    }


def test_an_export_that_is_killed_leaves_whole_messages_and_a_server_that_does_not_mind(
    restante: Installation, tmp_path: Path
) -> None:
    restante.hosts("lima.example", "192.0.2.1")
    source = tmp_path / "mail"
    source.mkdir()
    content = b"Subject: x\r\n\r\n" + b"a line of some length\r\n" * 10_000
    for number in range(100):
        (source / f"{number}.eml").write_bytes(content)
    options = ("--to", "x@lima.example", "--reverse-path", "<>")
    assert restante.run("queue", "import", str(source), *options).returncode == 0
    out = tmp_path / "out"
    command: list[str | Path] = [
        RESTANTE,
        "--config",
        restante.config,
        "queue",
        "export",
        out,
        "--domain",
        "lima.example",
    ]
    exporting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: out.is_dir() and any(out.glob("*.eml")), what="a first copy")
    exporting.send_signal(signal.SIGKILL)
    exporting.wait()
    copies = list(out.glob("*.eml"))
    assert all(copy.read_bytes() == content for copy in copies)
    assert all(copy.with_suffix(".json").is_file() for copy in copies)
    assert restante.held("lima.example") == 100
    assert restante.events("internal-error") == []


def test_queue_verbs_work_on_what_a_restart_left(tmp_path: Path) -> None:
    with (
        Installation() as restante,
        PostfixPrimary(["alpha.example"], rejects={"bad@alpha.example": "550 5.1.1 no"}) as primary,
    ):
        restante.start()
        restante.hosts("alpha.example", at(primary))
        for number, to in enumerate(("good", "bad", "bad")):
            file = tmp_path / f"{number}.eml"
            file.write_bytes(b"Subject: %d\r\n\r\n" % number)
            restante.do(
                "queue", "import", str(file), "--to", f"{to}@alpha.example", "--reverse-path", "<>"
            )
        primary.start()
        restante.do("release", "alpha.example")
        primary.wait_for(1)
        eventually(lambda: restante.shown("status")["refused"] == 2, what="two to be refused")
        restante.stop()
        restante.start()
        [first, second] = restante.shown(
            "queue", "list", "--status", "refused", "--recipient", "BAD@*"
        )
        assert restante.do("queue", "show", first["name"], "--raw").endswith("Subject: 1\n\n")
        restante.do(
            "queue",
            "delete",
            "--recipient",
            "bad@*",
            "--larger",
            "1K",
            "--reason",
            "none is",
            "--yes",
        )
        restante.do("queue", "release", first["name"])
        restante.do("queue", "delete", "--status", "refused", "--reason", "tidy", "--yes")
        assert [one["name"] for one in restante.shown("queue", "list")] == [first["name"]]
        assert second["name"] not in restante.do("queue", "list")
        [top] = restante.shown("top")["domains"]
        assert (top["domain"], top["held"], top["refused"]) == ("alpha.example", 1, 0)
        actions = [entry["action"] for entry in restante.shown("audit")]
        assert {"content-read", "mail-deleted", "mail-held-again", "mail-imported"} <= set(actions)
