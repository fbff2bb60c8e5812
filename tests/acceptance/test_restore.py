"""A backup is restored on a machine whose `init` has made another key file, as an operator does it.

Every step is one of docs/how-to/back-up-and-restore.md.
"""

from __future__ import annotations

import shutil
from typing import Final

from tests.acceptance.installation import ALPHA, Installation, at
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send

DOMAIN: Final = "customer.example"
WRONG_KEY: Final = 78
SEALED_UNDER_ANOTHER: Final = (
    "restante.key: the mail of this store is sealed under another key file; restore that one"
)

pytestmark = ON_SQLITE


def test_another_key_file_changes_nothing_and_the_right_one_hands_the_mail_over() -> None:
    with SmtpSink(keep_content=True) as primary, Installation() as restante:
        data, key = restante.directory / "data", restante.directory / "restante.key"
        backup, copied = restante.directory / "backup", restante.directory / "copied.key"
        restante.start()
        login = restante.hosts(DOMAIN, at(primary))
        assert login == ALPHA
        assert send(restante.mx, f"reader@{DOMAIN}", content=message("sealed")).returncode == 0
        needed = restante.shown("store", "backup", str(backup))["key_fingerprint"]
        assert f"key file: {needed}\n" in (backup / "backup.txt").read_text()
        shutil.copy2(key, copied)
        restante.do("key", "confirm-copied", str(copied))
        restante.stop()

        shutil.rmtree(data)  # the machine is lost; the new one has a key of its own
        backup.rename(data)
        key.write_bytes(b"\1" * 32)
        assert restante.shown("key", "show")["fingerprint"] != needed
        for words in (("store", "check"), ("serve",), ("queue", "list"), ("key", "rotate")):
            refused = restante.run(*words)
            assert refused.returncode == WRONG_KEY, (words, refused.stdout, refused.stderr)
            assert SEALED_UNDER_ANOTHER in refused.stdout + refused.stderr, words
        assert key.read_bytes() == b"\1" * 32

        shutil.copy2(copied, key)
        assert restante.shown("key", "show")["fingerprint"] == needed
        assert restante.shown("store", "check")["is_sound"]
        primary.start()
        restante.start()
        assert restante.etrn(DOMAIN, login=login).returncode == 0  # its password is readable too
        restante.wait_for_event("drain-finished", domain=DOMAIN, held=0)
        [arrived] = primary.messages()
        assert b"sealed" in arrived
