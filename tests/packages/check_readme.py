"""README works for a newcomer: its blocks run as they stand on a machine that has nothing yet.

They are followed by those of the page about production, to which README leads.

The machine is a clean tree of Debian. It gets the packages that README tells to install, and none
that README forgets. A block that tests/documents leaves out, as it installs something, is run here:
apt and pip find what was fetched before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.documents.blocks import Block, read_blocks
from tests.packages.booted_tree import booted
from tests.packages.checkout_copy import CHECKOUT, PLACE, copy_checkout
from tests.packages.clean_tree import CleanTree, clean_tree

# systemd, which machines have that were not made by debootstrap.
BOOTING: Final = (
    "apt-get -qq --no-install-recommends install systemd\n"
    "systemctl mask getty.target console-getty.service"  # the terminals are not ours
)
PAGES: Final = ("README.md", "docs/how-to/put-into-production.md")
INSTALLING: Final = {
    "installs packages",
    "needs the package registry",
    "the environment is there already; it needs the package registry",
}
# One shell for all blocks, as that of a reader. A block that runs on goes on in the background.
PRELUDE: Final = """
set -e
PATH=/opt/restante/bin:$PATH # as docs/how-to/install.md says
CONFIG=/etc/restante/restante.toml
step=
trap 'echo "ended in $step"; tail -n 60 "/steps/$step.out"' EXIT
background() {
    (. "/steps/$1") >"/steps/$1.out" 2>&1 </dev/null &
    local job=$!
    until grep -qF -f "/steps/$1.ready" "/steps/$1.out"; do
        kill -0 "$job" 2>/dev/null || return 1
        sleep 0.2
    done
}
"""


def runnable(block: Block) -> bool:
    return block.language in {"sh", "toml"} and block.why_not_run in {"", *INSTALLING}


def write_steps(tree: CleanTree, blocks: Sequence[Block]) -> str:
    """Write the blocks into the tree, and return the script that runs them."""
    tree.path("/steps").mkdir()
    lines = [PRELUDE]
    for number, block in enumerate(blocks):
        name = f"{number}-{Path(block.page).stem}-line-{block.line}"
        step = tree.path(f"/steps/{name}")
        step.write_text(block.text)
        step.with_name(f"{name}.ready").write_text(block.runs_until)
        step.with_name(f"{name}.prints").write_text(block.must_print)
        lines.append(f"step={name}")
        lines += _lines(name, block)
    return "\n".join(lines)


def _lines(name: str, block: Block) -> Iterator[str]:
    output = f"/steps/{name}.out"
    if block.language == "toml":
        yield f"python3 {PLACE}/tests/documents/settings.py $CONFIG /steps/{name} >{output} 2>&1"
        yield f"restante --config $CONFIG config check >>{output} 2>&1"
    elif block.runs_until:
        yield f"background {name}"
    elif block.is_at_primary:
        yield f"nsenter --net=/primary /bin/bash -e /steps/{name} >{output} 2>&1 </dev/null"
    elif block.exit_code:
        yield f"code=0; (. /steps/{name}) >{output} 2>&1 || code=$?"
        yield f"[ $code -eq {block.exit_code} ]"
    else:
        yield f". /steps/{name} >{output} 2>&1 </dev/null"
    if block.must_print:
        yield f"grep -qF -f /steps/{name}.prints {output}"


@contextmanager
def two_hosts(tree: CleanTree) -> Iterator[list[str]]:
    """Make a host for the tree, and yield the way into it. A second host is the primary."""
    with ExitStack() as stack:
        here, there = stack.enter_context(host()), stack.enter_context(host())
        net = tree.path("/primary")
        net.touch()
        subprocess.run(["mount", "--bind", f"/proc/{there}/ns/net", net], check=True)
        for command in _links(here, there):
            subprocess.run(command, check=True)
        tree.path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        zone = [*at(here), sys.executable, "-m", "tests.documents.zone"]
        names = subprocess.Popen(zone, cwd=CHECKOUT)
        stack.callback(names.wait)
        stack.callback(names.kill)
        yield at(here)


@contextmanager
def host() -> Iterator[int]:
    """Make a network of its own, and yield the process that has it."""
    ready, written = os.pipe()
    holder = subprocess.Popen(
        ["unshare", "--net", "/bin/sh", "-c", "echo; exec sleep infinity"], stdout=written
    )
    os.close(written)
    try:
        assert os.read(ready, 1), "no network could be made"
        yield holder.pid
    finally:
        os.close(ready)
        holder.kill()
        holder.wait()


def at(pid: int) -> list[str]:
    """Return the prefix of a command at a host."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def _links(here: int, there: int) -> Iterator[list[str]]:
    peer = ["peer", "name", "eth0", "netns", str(there)]
    yield [*at(here), "ip", "link", "add", "eth0", "type", "veth", *peer]
    for pid, address in ((here, "192.0.2.25/24"), (there, "192.0.2.77/24")):
        yield [*at(pid), "ip", "address", "add", address, "dev", "eth0"]
        yield [*at(pid), "ip", "link", "set", "eth0", "up"]
        yield [*at(pid), "ip", "link", "set", "lo", "up"]


def test_the_blocks_of_readme_work_on_a_machine_that_has_nothing(tmp_path: Path) -> None:
    blocks = [block for page in PAGES for block in read_blocks(CHECKOUT / page, page)]
    wanted = [block for block in blocks if runnable(block)]
    assert any(block.why_not_run for block in wanted), "README tells nobody what to install"
    with clean_tree(tmp_path) as tree, two_hosts(tree) as way_in:
        copy_checkout(tree)
        tree.path("/etc/hosts").write_text(
            "127.0.0.1 localhost\n192.0.2.25 mx2.example.net\n192.0.2.77 mail.acme.example\n"
        )
        script = write_steps(tree, wanted)
        tree.do(BOOTING)
        with booted(tree, *way_in) as machine:
            ended = machine.run(script, cwd=PLACE)
    assert ended.returncode == 0, ended.stdout


def test_the_machine_has_nothing(tmp_path: Path) -> None:
    """Packages that README forgets are missing indeed."""
    with clean_tree(tmp_path) as tree:
        for program in ("python3", "make", "curl", "git", "restante"):
            assert tree.run(f"command -v {program}").returncode == 1, program
