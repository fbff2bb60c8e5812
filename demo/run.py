"""`make run`: a server on loopback with a sample domain, and the commands to type next.

Its data stays in ./var.
"""

import os
from pathlib import Path

from command import RESTANTE, restante
from primary import DEFAULT_PORT, HOST

DIRECTORY = Path("var")
CONFIG = DIRECTORY / "restante.toml"
PASSWORD_FILE = DIRECTORY / "sample-password"
DOMAIN = "sample.example"

NEXT_STEPS = f"""
Restante is about to listen on {HOST}:
2525 (mx), 4465 (smtps), 8026 (web) and 3661 (odmr).

In another terminal, in this directory:

  1. Send a message to a domain whose own server is away:
       printf 'Subject: hello\\n\\nHeld for you.\\n' |
           curl -sS smtp://{HOST}:2525 --crlf -T - \\
           --mail-from me@elsewhere.example --mail-rcpt you@{DOMAIN}

  2. See it held:
       .venv/bin/restante --config {CONFIG} status
       .venv/bin/restante --config {CONFIG} queue list

  3. Let the domain's own server come back. It prints the mail that it gets.
     Leave it running:
       .venv/bin/python demo/primary.py

  4. Ask for the mail, as that server would:
       .venv/bin/restante etrn {HOST}:4465 {DOMAIN} --login sample \\
           --password-file {PASSWORD_FILE} --ca {DIRECTORY}/tls/trust.pem

  5. Look at it in a browser. This prints a link that opens the portal for you:
       .venv/bin/restante --config {CONFIG} \\
           user invite you@example.net --role operator

Ctrl-C ends the server. Its mail stays in {DIRECTORY}/ until you remove it.
"""


def set_up() -> None:
    """Make ./var once: configuration, sample account, login and domain."""
    if CONFIG.exists():
        return
    print(f"Setting up a server in {DIRECTORY}/, which takes some seconds ...", flush=True)
    restante(CONFIG, "init", "--dir", str(DIRECTORY), "--hostname", "mx2.example.net")
    # An installation beside this one has these listeners at the usual ports.
    text = CONFIG.read_text()
    for usual, other in ((8025, 8026), (3660, 3661)):
        text = text.replace(f"{HOST}:{usual}", f"{HOST}:{other}")
    CONFIG.write_text(text)
    restante(CONFIG, "account", "add", "sample", "--note", "made by make run")
    password = restante(CONFIG, "login", "add", "sample", "sample", "--generate").split()[-1]
    PASSWORD_FILE.touch(mode=0o600)
    PASSWORD_FILE.write_text(password + "\n")
    destination = f"{HOST}:{DEFAULT_PORT}"
    restante(
        CONFIG,
        "domain",
        "add",
        DOMAIN,
        "--account",
        "sample",
        "--destination",
        destination,
        "--allow",
        HOST,
    )


def main() -> None:
    """Set up, say what to type, and become the server."""
    set_up()
    print(NEXT_STEPS, flush=True)
    os.execv(RESTANTE, [RESTANTE, "--config", CONFIG, "serve"])


if __name__ == "__main__":
    main()
