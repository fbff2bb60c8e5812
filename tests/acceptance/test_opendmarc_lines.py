"""OpenDMARC loads the lines for it as they are printed, and obeys them: the real program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.acceptance.installation import Installation
from tests.acceptance.peers.programs import require, run

DOMAIN: Final = "customer.example"
OURS: Final = "203.0.113.1"  # on one machine, a connection to this address comes from it too
STRANGER: Final = "198.51.100.66"
FORGED: Final = "From: <a@strict.example>\nTo: <u@customer.example>\nSubject: x\n\nHello\n"
# Its own settings: mail that fails DMARC is refused. It asks this file in place of DNS.
STRICT: Final = "RejectFailures true\nTestDNSData {0}/dns\nPublicSuffixList {0}/suffixes\n"


def judged(directory: Path, client: str) -> str:
    """Return the words of OpenDMARC about a forged message that a client brings."""
    facts = {"CLIENTIP": client, "CLIENTHOST": "x", "HELOHOST": "x", "ENVFROM": "a@strict.example"}
    words = [f"OPENDMARC_TEST_{name}={value}" for name, value in facts.items()]
    files = ("-c", directory / "opendmarc.conf", "-t", directory / "message", "-vv")
    return run("env", *words, "opendmarc", *files).stdout


def test_the_lines_exempt_this_server_and_no_other() -> None:
    require("opendmarc")
    with Installation() as restante:
        restante.hosts(DOMAIN, f"{OURS}:25")
        words = ("domain", "snippet", DOMAIN, "--for", "opendmarc", "--json")
        shown = json.loads(restante.do(*words))
        settings, hosts = shown["parts"]
        assert shown["is_tried"]
        top = restante.directory
        (top / "dns").write_text("_dmarc.strict.example v=DMARC1; p=reject\n")
        (top / "suffixes").write_text("example\n")
        (top / "message").write_text(FORGED)
        (top / "ignore.hosts").write_text(f"{hosts['text']}\n")

        file, own = top / "opendmarc.conf", STRICT.format(top)
        file.write_text(own)
        assert "rejected by DMARC policy" in judged(top, OURS)
        lines = settings["text"].replace(hosts["place"], str(top / "ignore.hosts"))
        file.write_text(f"{own}{lines}\n")
        assert run("opendmarc", "-n", "-c", file).returncode == 0
        assert "mlfi_connect() returned SMFIS_ACCEPT" in judged(top, OURS)
        assert "rejected by DMARC policy" in judged(top, STRANGER)
