"""The program as a process, for properties that only a process has."""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-c", "import sys; from restante.cli import main; sys.exit(main())"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_change_outlives_the_process(installation: Path) -> None:
    added = run("account", "add", "beta")
    assert (added.returncode, added.stderr) == (0, "")
    assert "beta" in run("account", "list").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_leaves_no_file_that_the_server_could_not_open(installation: Path) -> None:
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
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert time.monotonic() - began < 10  # some 0.2 s; the list above is what keeps it so
