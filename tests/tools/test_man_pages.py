"""The man pages: one for each command, which troff takes without a warning."""

import subprocess
from pathlib import Path

import pytest

from restante.cli.command_line import build_command
from tests.acceptance.peers.programs import require
from tests.cli.test_command_line import commands
from tools.man_pages import main, pages

DAY = 1_796_000_000  # 2026-11-30


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(pages(DAY))


def test_each_command_and_each_group_has_a_page(written: dict[str, str]) -> None:
    paths = [path for path, _ in commands(build_command())]
    assert set(written) == {f"{path.replace(' ', '-')}.1" for path in paths}


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
