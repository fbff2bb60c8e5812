"""The functions that the installers in `ci` share: retries, locks and whole directories."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path
from typing import Final

import pytest

SHARED: Final = Path(__file__).parents[1] / "ci/installer.sh"
KILLED: Final = -9


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script with the functions of the installers. A pause takes no time."""
    text = f'source {SHARED}\nsleep() {{ echo "paused $1"; }}\n{script}'
    words = ["bash", "-euc", text, "installer", *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("failures", "code", "pauses"),
    [(0, 0, []), (1, 0, ["15"]), (2, 0, ["15", "60"]), (3, 1, ["15", "60"])],
)
def test_a_command_is_tried_three_times(failures: int, code: int, pauses: list[str]) -> None:
    ended = run("tries=0; work() { (( ++tries > $1 )); }; with_retries work $1", str(failures))
    assert ended.returncode == code
    assert ended.stdout.split()[1::2] == pauses


def directory(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "content").write_text(content)
    return path


def test_a_directory_replaces_another_whole(tmp_path: Path) -> None:
    made, target = directory(tmp_path / "made", "new"), directory(tmp_path / "target", "old")
    (target / "more").touch()
    assert run('put_into_place "$1" "$2"', made, target).returncode == 0
    assert [file.name for file in tmp_path.rglob("*")] == ["target", "content"]
    assert (target / "content").read_text() == "new"


@pytest.mark.parametrize(
    ("moves", "left"), [(0, "old"), (1, "old"), (2, None), (3, "new")], ids=str
)
def test_a_kill_leaves_no_part_of_a_directory(moves: int, left: str | None, tmp_path: Path) -> None:
    made, target = directory(tmp_path / "made", "new"), directory(tmp_path / "target", "old")
    killing = 'mv() { (( moves-- > 0 )) || kill -9 $$; command mv "$@"; }; rm() { kill -9 $$; }'
    ended = run(f'moves={moves}\n{killing}\nput_into_place "$1" "$2"', made, target)
    assert ended.returncode == KILLED
    content = target / "content"
    assert (content.read_text() if target.exists() else None) == left


def test_a_second_run_says_that_it_waits_and_goes_on_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with file.open("ab") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        words = [
            "bash",
            "-euc",
            f'source {SHARED}; lock "$1" 9; echo goes on',
            "installer",
            str(file),
        ]
        second = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, close_fds=True
        )
        assert second.stderr is not None
        assert second.stderr.readline() == f"installer: waiting for another run, which has {file}\n"
    output, _ = second.communicate(timeout=60)
    assert (second.returncode, output) == (0, "goes on\n")
