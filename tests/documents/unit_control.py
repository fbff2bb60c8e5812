#!/usr/bin/env python3
"""The effect of `systemctl` on one unit, read from its file: user, directories, commands."""

import configparser
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

UNIT = Path("/etc/systemd/system/restante.service")
PID = Path("/run/restante.pid")
LOG = Path("/var/log/restante.log")


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(UNIT.read_text())
    return parser["Service"]  # which takes names in any case


def start() -> None:
    unit = service()
    for base, name in (("/var/lib", unit["StateDirectory"]), ("/run", unit["RuntimeDirectory"])):
        directory = Path(base, name)
        directory.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(["chown", f"{unit['User']}:", directory], check=True)
    LOG.touch()
    before = LOG.read_text().count("server-ready")
    as_user = [
        "setpriv",
        f"--reuid={unit['User']}",
        f"--regid={unit['Group']}",
        "--init-groups",
        "--inh-caps=+net_bind_service",
        "--ambient-caps=+net_bind_service",
    ]
    with LOG.open("ab") as log:
        server = subprocess.Popen(
            [*as_user, *shlex.split(unit["ExecStart"])],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    PID.write_text(str(server.pid))
    deadline = time.monotonic() + 30
    while LOG.read_text().count("server-ready") == before:
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"restante.service failed:\n{LOG.read_text()}")
        time.sleep(0.05)


def stop() -> None:
    pid = int(PID.read_text())
    os.kill(pid, signal.SIGTERM)
    while _runs(pid):
        time.sleep(0.05)
    PID.unlink()


def _runs(pid: int) -> bool:
    """Whether a process is there, and no zombie that waits for its parent."""
    try:
        Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return False
    return True


def main(words: list[str]) -> None:
    verb = next(word for word in words if not word.startswith("-"))
    match verb:
        case "start":
            start()
        case "enable":
            assert "--now" in words
            start()
        case "stop":
            stop()
        case "restart":
            stop()
            start()
        case "reload":
            os.kill(int(PID.read_text()), signal.SIGHUP)
        case "daemon-reload":
            service()
        case _:
            sys.exit(f"systemctl {verb}: not known here")


main(sys.argv[1:])
