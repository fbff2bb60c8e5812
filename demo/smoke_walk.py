"""One walk through an installed server, for `make packages-test ONLY=python`.

`init`, `serve`, mail from outside, status, queue and the login page of the portal; then a release,
and the mail arrives at a primary. Exits with 0 only if all of it went well.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from command import restante, serving
from primary import HOST, Primary

from demo import (
    DOMAIN,
    RECEIVED_SECONDS,
    add_customer,
    configure,
    free_port,
    messages,
    ports,
    send,
)


def walk(directory: Path) -> None:
    """Take each step. AssertionError or CalledProcessError tells which failed."""
    primary_port = free_port()
    primary = Primary(primary_port)
    config, password_file = configure(directory)
    sent = messages()
    log = directory / "server.log"
    with serving(config, log):
        add_customer(config, password_file, primary_port)
        port = ports(config)
        send(port["mx"], sent)
        assert len(_listed(config)) == len(sent)
        with urlopen(f"http://{HOST}:{port['web']}/") as page:
            assert 'type="password"' in page.read().decode()
        primary.start()
        try:
            restante(config, "release", DOMAIN)
            primary.wait_for(len(sent), RECEIVED_SECONDS)
        finally:
            primary.stop()
        assert len(primary.mailbox.messages) == len(sent)
    lines = log.read_text()
    assert "server-stopped" in lines
    assert "Traceback" not in lines
    assert "Warning" not in lines, lines


def _listed(config: Path) -> list[Any]:
    listed: list[Any] = json.loads(restante(config, "queue", "list", DOMAIN, "--json"))
    return listed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="restante-walk-") as name:
        walk(Path(name))
    sys.exit(0)
