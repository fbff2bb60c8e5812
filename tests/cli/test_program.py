"""The program as a process, for properties that only a process has."""

import errno
import importlib.metadata
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from restante import __version__
from tests.acceptance.peers.programs import require_plain_user
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

PROGRAM = [sys.executable, "-c", "import sys; from restante.cli import main; sys.exit(main())"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_change_outlives_the_process(installation: Path) -> None:
    added = run("account", "add", "beta")
    assert (added.returncode, added.stderr) == (0, "")
    assert "beta" in run("account", "list").stdout


def test_root_leaves_no_file_that_the_server_could_not_open(installation: Path) -> None:
    require_plain_user("nobody")
    nobody = pwd.getpwnam("nobody")
    installation.parent.chmod(0o711)
    for path in ((installation / "data"), *(installation / "data").rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    config = installation / "restante.toml"
    config.write_text(config.read_text().replace('# user = "restante"', 'user = "nobody"'))
    done = run("account", "add", "beta")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.stat().st_uid for path in (installation / "data").rglob("*")} == {nobody.pw_uid}


def test_the_exit_code_reaches_the_shell() -> None:
    outcome = run("account", "frobnicate")
    assert outcome.returncode == 64
    assert outcome.stderr.count("\n") == 1


def test_help_imports_nothing_heavy() -> None:
    heavy = "httpx fastapi pydantic uvicorn apsw cryptography dns rich"
    code = (
        "import sys; from restante.cli import main; assert main(['--help']) == 0; "
        f"print([name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_a_full_disk_behind_the_output_is_an_error_in_one_line(installation: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "account", "list"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 73
    assert done.stderr == (
        b"restante: standard output: No space left on device; write it to another place\n"
    )


def test_without_an_output_or_a_reader_there_is_no_traceback(installation: Path) -> None:
    closed = subprocess.run(
        ["sh", "-c", '"$0" "$@" >&-', *PROGRAM, "account", "list"], capture_output=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, b"")
    unread, output = os.pipe()
    os.close(unread)
    left = subprocess.run(
        [*PROGRAM, "account", "list"], stdout=output, stderr=subprocess.PIPE, check=False
    )
    os.close(output)
    assert left.stderr == b""


def test_a_path_that_may_not_be_opened_is_named(
    command: Command, monkeypatch: pytest.MonkeyPatch, installation: Path
) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/x/lock")

    monkeypatch.setattr("restante.cli.store_commands.ask", forbid)
    checked = command("store", "backup", "/x")
    assert checked.code == 77
    assert checked.err == (
        "restante: /x/lock: Permission denied; run as root or as the server's user\n"
    )


@pytest.mark.parametrize(
    ("words", "most"), [("status", 330), ("queue list", 330), ("domain show alpha.example", 350)]
)
def test_a_command_loads_few_modules(
    admin: AdminWorld, installation: Path, words: str, most: int
) -> None:
    program = "import sys; from restante.cli import main; main(); print('\\v', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *words.split()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.partition("\v ")[2].split())
    assert not loaded & {"asyncio", "httpx", "fastapi", "rich", "cryptography", "apsw"}
    assert len(loaded) <= most


def test_the_version_is_that_of_the_package() -> None:
    assert __version__ == importlib.metadata.version("restante")
