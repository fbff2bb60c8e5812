"""Run a command that may start programs of ARM64: `python -m tests.packages.emulated COMMAND…`.

QEMU executes these programs, by Debian's package qemu-user-static. The kernel learns it for a user
namespace of the command, in which each user is the same as outside. So nothing of the machine
changes, and nothing that others register there is lost. That needs root and Linux 6.7. An older
kernel refuses; there, the machine's own registration is used, which Debian makes at its start.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x00020000  # linux/sched.h
CLONE_NEWUSER: Final = 0x10000000
HANDLERS: Final = Path("/proc/sys/fs/binfmt_misc")
HANDLER: Final = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # the line for the kernel
EVERYBODY: Final = "0 0 4294967295"


def main() -> None:
    """Become the command of the arguments, in a namespace that knows ARM64."""
    enter_namespace()
    with contextlib.suppress(OSError):
        register()
    os.execvp(sys.argv[1], sys.argv[1:])


def enter_namespace() -> None:
    """Move this process to a user namespace with all users, which only one outside may name."""
    ours, theirs = os.pipe()
    process = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(theirs)
        os.read(ours, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{process}/{name}").write_text(EVERYBODY)
        os._exit(0)
    _call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    os.close(theirs)
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("emulated: the users could not be named to the namespace: run it as root")


def register() -> None:
    """Tell the kernel which program executes those of ARM64. Raises OSError."""
    _call("mount", b"none", bytes(HANDLERS), b"binfmt_misc", 0, None)
    (HANDLERS / "register").write_bytes(HANDLER.read_bytes().strip())


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library that Python does not have."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main()
