"""How long `restante apply` takes for many customers, and how long others wait meanwhile.

    .venv/bin/python -m bench.onboard [--customers 500] [--domains 0] [--given]

Each customer is an account with a login, a domain, ten recipients and a channel of notices. One
SMTP session sends NOOP continuously, as in stalls.py. `--domains` are in the store before.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.full_store import FIRST, LISTED, database_in, fill
from bench.stalls import AWAY, SETTINGS, waiting
from tests.acceptance.installation import Installation
from tests.acceptance.sample import message, send

RUNS: Final = (
    ("dry run", ("--dry-run",)),
    ("apply", ()),
    ("apply again", ()),
    ("apply --prune", ("--prune", "--reason", "measured")),
)


def configuration(customers: int, *, has_passwords: bool) -> Iterator[str]:
    """Yield the file, table by table."""
    addresses = ", ".join(f'"user{number}"' for number in range(10))
    for number in range(customers):
        name, address = f"customer{number}", f"192.0.2.{number % 250}"
        yield _table("account", name=name)
        yield _table("login", user=name, account=name)
        if has_passwords:
            yield f'password = "a long password {number}"\n'
        yield _table("domain", name=f"{name}.example", account=name, destination=address)
        yield f'allow = ["{address}"]\nrecipients = "list"\naddresses = [{addresses}]\n'
        yield _table("channel", name="ops", account=name, mail=f"ops@{name}.example.com")


def _table(thing: str, **fields: str) -> str:
    lines = (f'{key} = "{value}"\n' for key, value in fields.items())
    return f"[[{thing}]]\n{''.join(lines)}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--domains", type=int, default=0, help="in the store before")
    parser.add_argument("--given", action="store_true", help="the file has the passwords")
    given = parser.parse_args()
    with Installation(delivery={"patience": 0.0}, more=SETTINGS) as restante:
        if given.domains:
            _fill(restante, given.domains)
        restante.start()
        file = Path(restante.directory) / "customers.toml"
        file.write_text("".join(configuration(given.customers, has_passwords=given.given)))
        print("| run | seconds | others wait at most, ms | result |")
        print("| --- | ---: | ---: | --- |")
        for name, options in RUNS:
            _run(restante, file, name, options)
        stalls = [line["seconds"] for line in restante.events("loop-stalled")]
    print(f"loop-stalled in the log, seconds: {stalls or 'never'}")


def _fill(restante: Installation, domains: int) -> None:
    restante.hosts(FIRST, AWAY)
    restante.hosts(LISTED, AWAY, "--recipients", "list")
    restante.start()
    send(restante.mx, f"reader@{FIRST}", content=message("first"))
    restante.stop()
    fill(database_in(restante.directory / "data"), domains, domains)


def _run(restante: Installation, file: Path, name: str, options: tuple[str, ...]) -> None:
    with waiting(restante.mx_port) as end:
        time.sleep(0.3)
        began = time.monotonic()
        ended = restante.run("apply", str(file), *options)
        took = time.monotonic() - began
        longest = max((done - said for said, done in end()), default=0.0)
    if ended.returncode:
        sys.exit(f"{name}: {ended.stderr.strip()}")
    lines = ended.stdout.splitlines()
    [result] = [line for line in lines if " unchanged" in line or line.startswith("no change")]
    print(f"| {name} | {took:.1f} | {longest * 1000:.0f} | {result} |", flush=True)


if __name__ == "__main__":
    main()
