"""The man pages: one for each command, which troff takes without a warning."""

import subprocess
from pathlib import Path

import pytest

from restante.cli.command_line import build_command
from restante_client.client_arguments import EXAMPLES, PROGRAM
from tests.acceptance.peers.programs import require
from tests.cli.test_command_line import commands
from tools.man_pages import main, pages

DAY = 1_796_000_000  # 2026-11-30


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(pages(DAY))


def test_each_command_and_each_group_has_a_page(written: dict[str, str]) -> None:
    paths = [path for path, _ in commands(build_command())]
    paths += [PROGRAM, *(f"{PROGRAM} {verb}" for verb in EXAMPLES)]
    assert set(written) == {f"{path.replace(' ', '-')}.1" for path in paths}


def test_a_page_of_the_client_has_what_its_help_has(written: dict[str, str]) -> None:
    page = written["restante-client-turn.1"]
    assert page.startswith('.TH "RESTANTE\\-CLIENT\\-TURN" 1 2026-11-30 "restante-client ')
    assert "\\- Fetch the mail over this connection, also behind CGNAT\n" in page
    assert ".SH SYNOPSIS\n.B restante\\-client turn\n[\\-h] [\\-\\-login USER]" in page
    assert ".TP\n.B SERVER[:PORT]\nThe backup MX." in page
    assert ".TP\n.B DOMAIN...\n" in page
    assert ".TP\n.B \\-\\-tls implicit|starttls\nTLS from the first byte" in page
    assert ".SH EXAMPLES\n.nf\nrestante\\-client turn mx2.example.net" in page
    assert ".B restante\\-client\\-doctor(1)\nCheck whether" in written["restante-client.1"]


def test_a_page_has_what_the_help_has(written: dict[str, str]) -> None:
    page = written["restante-queue-list.1"]
    assert page.startswith('.TH "RESTANTE\\-QUEUE\\-LIST" 1 2026-11-30 "restante ')
    assert ".SH NAME\nrestante\\-queue\\-list \\- List messages, oldest first\n" in page
    assert "[OPTIONS] [DOMAIN]\n" in page
    assert ".TP\n.B \\-\\-older AGE\nOnly mail older than this" in page
    assert page.endswith(".SH SEE ALSO\n.BR restante (1),\n.BR restante\\-queue (1)\n")
    example = ".SH EXAMPLES\n.nf\nrestante queue list acme.example \\-\\-older 2d\n.fi\n"
    assert example in page
    assert example in written["restante-queue.1"]
    assert ".B restante\\-queue(1)\n" in written["restante.1"]


def test_the_same_time_gives_the_same_octets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: dict[str, str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(DAY))
    assert main([str(tmp_path / "man")]) == 0
    assert {page.name: page.read_text() for page in (tmp_path / "man").iterdir()} == written


def test_no_text_is_taken_for_a_request_or_an_escape(written: dict[str, str]) -> None:
    requests = {".TH", ".SH", ".TP", ".PP", ".B", ".BR", ".nf", ".fi"}
    for name, text in written.items():
        assert text.isascii(), name
        controls = {line.split()[0] for line in text.splitlines() if line[:1] in (".", "'")}
        assert controls <= requests, name


def test_man_shows_the_pages_without_a_warning(written: dict[str, str], tmp_path: Path) -> None:
    """All of them in one run of troff: a hundred runs take long."""
    every = tmp_path / "every.1"
    every.write_text("".join(written.values()))
    done = subprocess.run(
        [require("man"), "--warnings=w", "--local-file", every],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
    )
    assert done.stderr == ""
    assert "restante queue list [OPTIONS] [DOMAIN]" in done.stdout
