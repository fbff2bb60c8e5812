"""A scratch machine on which a document's blocks are run as they stand.

It has the host's programs, a copy of its /etc, and directories of its own for everything else. So a
block may say `useradd`, `/etc/restante` or `/var/backups` and leave nothing behind. It lives in its
own mount, process, host name and IPC namespaces, and ends with them and all its processes.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

import yaml  # type: ignore[import-untyped]

from tests.acceptance.peers.programs import require_root
from tests.documents.blocks import Block

HERE: Final = Path(__file__).parent
CHECKOUT: Final = HERE.parents[1]
SECONDS: Final = 600  # for a whole page; most take a few

PYTHON: Final = '"$CHECKOUT/.venv/bin/python"'
# How a block of each language is run; NAME is the file that holds its text.
AS_SHELL: Final = {
    "sh": "{text}",
    "toml": f"(cd $CHECKOUT && {PYTHON} -m tests.documents.settings $CONFIG {{name}})\n"
    "restante --config $CONFIG config check\n",
    "fetchmail": "install -m 600 {name} /root/.fetchmailrc\n"
    "fetchmail --nodetach || [ $? -eq 1 ]  # 1: no mail was held\n",
    "crontab": r"sed -E 's/^(@\w+|(\S+ +){{5}})\s*root\s+//' {name} | while read -r command; do"
    ' bash -ec "$command"; done\n',
    "exim": f"(cd $CHECKOUT && {PYTHON} -m tests.documents.exim_customer {{name}})\n",
    "python": f"{PYTHON} {{name}}\n",
}
PARSED: Final = {"json", "yaml"}  # examples of data: their form is checked
TEXT: Final = "text"  # drawings, and output as an example


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended: its exit code and its output, both streams together."""

    code: int
    output: str


def run_page(base: str, setup: str, before: dict[str, str], blocks: list[Block]) -> None:
    """Run the blocks in their order on one machine. Raises AssertionError for the first that fails.

    `setup` is run first, on a machine as `base` leaves it; `before` has a script for headings, run
    ahead of the first block there. The files that `base` makes are the same for many pages, so they
    are made once.
    """
    require_root()
    with _steps() as steps:
        if base:
            shutil.copyfile(_packed(base), steps / "base.tar")
            setup = f"tar -xpf /steps/base.tar -C /\n{setup}"
        _write_steps(steps, setup, before, blocks)
        _judge(steps, blocks, _start(steps))


@cache
def _packed(base: str) -> Path:
    """Return an archive of the files after a setup, which must start nothing."""
    with _steps() as steps:
        _write_steps(steps, f"{base}\ntar -cpf /steps/base.tar -C / etc var/lib", {}, [])
        _judge(steps, [], _start(steps))
        directory = Path(mkdtemp(prefix="restante-base-"))
        atexit.register(shutil.rmtree, directory)
        packed = directory / "base.tar"
        shutil.move(steps / "base.tar", packed)
        return packed


@contextmanager
def _steps() -> Iterator[Path]:
    """Make the directory of a machine's steps."""
    with TemporaryDirectory(prefix="restante-steps-") as directory:
        steps = Path(directory)
        steps.chmod(0o755)
        (steps / "bin").mkdir()
        (steps / "bin/systemctl").write_text((HERE / "unit_control.py").read_text())
        (steps / "bin/systemctl").chmod(0o755)
        yield steps


def _write_steps(steps: Path, setup: str, before: dict[str, str], blocks: list[Block]) -> None:
    (steps / "prelude").write_text(
        f"set -e\nCONFIG=${{CONFIG:-/etc/restante/restante.toml}}\nPYTHON={PYTHON}\ntrap 'pwd"
        " >/steps/cwd' EXIT\n"
    )
    (steps / "cwd").write_text("/srv/restante\n")
    (steps / "setup.sh").write_text(f". /steps/prelude\n{setup}\n")
    lines = [RUNNER, "step setup 0"]
    seen = set()
    for number, block in enumerate(blocks):
        if block.heading in before and block.heading not in seen:
            (steps / f"{number}-before.sh").write_text(
                f". /steps/prelude\n{before[block.heading]}\n"
            )
            lines.append(f"step {number}-before 0")
        seen.add(block.heading)
        (steps / f"{number}.{block.language}").write_text(block.text)
        (steps / f"{number}.sh").write_text(f". /steps/prelude\n{_script(number, block)}")
        (steps / f"{number}.ready").write_text(block.runs_until)
        (steps / f"{number}.at").write_text("primary" if block.is_at_primary else "")
        lines.append(
            f"background {number}" if block.runs_until else f"step {number} {block.exit_code}"
        )
    (steps / "run").write_text("\n".join(lines) + "\n")


RUNNER: Final = """\
set -u
(cd "$CHECKOUT" && exec "$CHECKOUT/.venv/bin/python" -m tests.documents.zone) &
start() {  # NAME: become the shell of a step, on the host where it belongs
    cd "$(cat /steps/cwd)" || exit 1
    [ ! -s "/steps/$1.at" ] || exec nsenter --net=/run/netns/primary /bin/bash "/steps/$1.sh"
    exec /bin/bash "/steps/$1.sh"
}
step() {  # NAME CODE: run a step to its end, and end the page if it ends otherwise
    (start "$1") >"/steps/$1.out" 2>&1 </dev/null
    local code=$?
    echo "$code" >"/steps/$1.code"
    [ "$code" -eq "$2" ] || exit 1
}
background() {  # NAME: start a step, and go on once it has printed the text in NAME.ready
    (start "$1") >"/steps/$1.out" 2>&1 </dev/null &
    local job=$!
    until grep -qF -f "/steps/$1.ready" "/steps/$1.out"; do
        if ! kill -0 "$job" 2>/dev/null; then echo 1 >"/steps/$1.code"; exit 1; fi
        sleep 0.1
    done
    echo 0 >"/steps/$1.code"
}
"""


def _script(number: int, block: Block) -> str:
    return AS_SHELL[block.language].format(
        name=f"/steps/{number}.{block.language}", text=block.text
    )


def _start(steps: Path) -> str:
    """Run all steps, and return what the machine itself said."""
    python_home = Path(sys.executable).resolve().parents[1]
    said = steps / "said"
    with TemporaryDirectory(prefix="restante-root-") as root, said.open("wb") as output:
        command = [
            "unshare",
            "--mount",
            "--pid",
            "--uts",
            "--ipc",
            "--net",
            "--fork",
            "--kill-child",
        ]
        command += [
            "/bin/bash",
            *map(str, (HERE / "machine.sh", root, CHECKOUT, python_home, steps)),
        ]
        with suppress(
            subprocess.TimeoutExpired
        ):  # the step that hangs has no code then, and is named
            subprocess.run(command, check=False, stdout=output, stderr=output, timeout=SECONDS)
    return said.read_text(encoding="utf-8", errors="replace")


def _judge(steps: Path, blocks: list[Block], said: str) -> None:
    setup = _ended(steps, "setup")
    assert setup is not None, (
        f"the machine or the page's setup hangs:\n{said}\n{_output(steps, 'setup')}"
    )
    assert setup.code == 0, f"the page's setup failed:\n{setup.output}"
    for number, block in enumerate(blocks):
        before = _ended(steps, f"{number}-before")
        assert before is None or before.code == 0, f"before {block.place}:\n{before}"
        ended = _ended(steps, str(number))
        assert ended is not None, (
            f"{block.place} hangs:\n{block.text}\n{_output(steps, str(number))}\n{said}"
        )
        shown = f"{block.place} ended with {ended.code}:\n{block.text}\n{ended.output}"
        assert ended.code == block.exit_code, shown
        assert block.must_print in ended.output, shown


def _ended(steps: Path, name: str) -> Ended | None:
    code = steps / f"{name}.code"
    if not code.exists():
        return None
    return Ended(int(code.read_text()), _output(steps, name))


def _output(steps: Path, name: str) -> str:
    output = steps / f"{name}.out"
    return output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""


def parse(block: Block) -> None:
    """Read an example of data by its format's own parser. Raises ValueError or a YAML error."""
    yaml.safe_load(block.text)  # JSON is YAML
