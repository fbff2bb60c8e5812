#!/usr/bin/env python3
"""The effect of `systemctl` on a unit, read from its file: user, directories, secrets, commands.

`restante.service` is started and stopped. Any other service is run to its end, and a timer runs its
service at once, as one whose first time has passed.
"""

import configparser
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

UNITS = Path("/etc/systemd/system")
SERVER = "restante.service"
DYNAMIC_USER = 65534
PID = Path("/run/restante.pid")
LOG = Path("/var/log/restante.log")


def section(unit: str, name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string((UNITS / unit).read_text())
    return parser[name]  # which takes names in any case


def start() -> None:
    unit = section(SERVER, "Service")
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


def run_once(unit: str) -> None:
    """Run a service to its end: its user may read no secret but its credentials."""
    service = section(unit, "Service")
    assert (service["Type"], service["DynamicUser"]) == ("oneshot", "yes")
    as_user = ["setpriv", f"--reuid={DYNAMIC_USER}", f"--regid={DYNAMIC_USER}", "--clear-groups"]
    with TemporaryDirectory(prefix=f"{unit}-") as directory:
        for name, file in _credentials(unit):
            credential = Path(directory, name)
            credential.write_bytes(Path(file).read_bytes())
            os.chown(credential, DYNAMIC_USER, DYNAMIC_USER)
        os.chown(directory, DYNAMIC_USER, DYNAMIC_USER)
        ended = subprocess.run(
            [*as_user, *shlex.split(service["ExecStart"])],
            check=False,
            stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "CREDENTIALS_DIRECTORY": directory},
        )
    if str(ended.returncode) not in ["0", *service.get("SuccessExitStatus", "").split()]:
        sys.exit(f"{unit} failed with {ended.returncode}")


def _credentials(unit: str) -> list[tuple[str, str]]:
    """Return names and files. A section has only the last line of a name."""
    lines = (UNITS / unit).read_text().splitlines()
    values = [line.partition("=")[2] for line in lines if line.startswith("LoadCredential=")]
    return [(name, file) for name, _, file in (value.partition(":") for value in values)]


def run_timer(unit: str) -> None:
    assert {"onbootsec", "onunitinactivesec"} <= set(section(unit, "Timer"))
    assert section(unit, "Install")["WantedBy"] == "timers.target"
    run_once(f"{unit.removesuffix('.timer')}.service")


def control_server(verb: str) -> None:
    match verb:
        case "start" | "enable":
            start()
        case "stop" | "disable":
            stop()
        case "restart":
            stop()
            start()
        case "reload":
            os.kill(int(PID.read_text()), signal.SIGHUP)
        case _:
            sys.exit(f"systemctl {verb}: not known here")


def main(words: list[str]) -> None:
    verb, *units = [word for word in words if not word.startswith("-")]
    assert verb not in {"enable", "disable"} or "--now" in words
    if verb == "daemon-reload":
        for path in UNITS.glob("restante*.service"):
            section(path.name, "Service")
        return
    [unit] = units
    if unit in {SERVER, "restante"}:
        control_server(verb)
    elif verb == "enable":
        run_timer(unit)
    elif verb == "start":
        run_once(unit)
    else:
        sys.exit(f"systemctl {verb} {unit}: not known here")


main(sys.argv[1:])
