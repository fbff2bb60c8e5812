"""A clean tree in which systemd runs, as the first process of its namespaces."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.packages.clean_tree import CleanTree

SECONDS: Final = 180  # until it has booted
# $1 is the tree, $2 a control group of the tree's own. The kernel's newer groups are mounted by
# themselves, wherever the machine has them.
BOOT: Final = r"""
set -e
mount -t tmpfs -o mode=755 run "$1/run"
groups=$(mktemp -d)
mount -t cgroup2 groups "$groups"
mkdir "$groups/$2"
echo $$ >"$groups/$2/cgroup.procs"
umount "$groups"
rmdir "$groups"
exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child --mount-proc="$1/proc" \
    /bin/bash -ec '
        mount -t tmpfs -o mode=755 sys "$1/sys"
        mkdir -p "$1/sys/fs/cgroup"
        mount -t cgroup2 groups "$1/sys/fs/cgroup"
        exec chroot "$1" /usr/bin/env -i container=other PATH=/usr/sbin:/usr/bin \
            /lib/systemd/systemd
    ' boot "$1"
"""
REMOVE: Final = r"""
groups=$(mktemp -d)
mount -t cgroup2 groups "$groups"
find "$groups/$1" -depth -type d -exec rmdir {} +
umount "$groups"
rmdir "$groups"
"""


@contextmanager
def booted(tree: CleanTree, *way_in: str) -> Iterator[CleanTree]:
    """Boot a tree that has systemd, and end it with all its processes.

    `way_in` is the prefix of a command at the host on which it is booted.
    """
    group = f"restante-{secrets.token_hex(8)}"
    log = tree.path("/root/boot.log")
    with log.open("wb") as output:
        outer = subprocess.Popen(
            [*way_in, "unshare", "--mount", "/bin/bash", "-c", BOOT, "boot", tree.root, group],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    first = outer.pid
    try:
        first = _first_process(outer)
        enter = ["nsenter", f"--target={first}", "--all", "--root", "--wd"]
        inside = replace(tree, way_in=enter)
        _await_boot(inside, log)
        yield inside
    finally:
        os.kill(first, signal.SIGKILL)  # with all others: it is the first of its namespace
        outer.wait()
        subprocess.run(
            ["unshare", "--mount", "/bin/bash", "-c", REMOVE, "remove", group], check=True
        )


def _first_process(outer: subprocess.Popen[bytes]) -> int:
    """Return systemd as this namespace numbers it, once it is there."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and outer.poll() is None:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        names = {Path(f"/proc/{one}/comm").read_text().strip(): int(one) for one in children}
        if "systemd" in names:
            return names["systemd"]
        time.sleep(0.1)
    raise AssertionError("systemd was not started")


def _await_boot(tree: CleanTree, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        state = tree.run("systemctl is-system-running").stdout.strip()
        if state in {"running", "degraded"}:
            return
        time.sleep(0.2)
    raise AssertionError(f"systemd does not come up: {state}\n{log.read_text()}")
