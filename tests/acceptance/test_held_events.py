"""The stream of events, read by curl: it tells each change of held mail, whatever caused it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from tests.acceptance.installation import Installation
from tests.acceptance.sample import message, send

AWAY = "127.0.0.1:9"
SECONDS = 60.0


class EventReader:
    """Reads the lines of a stream."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line.rstrip())

    def until_alive(self) -> None:
        """Return once the server has answered."""
        assert self._lines.get(timeout=SECONDS) == ": alive"

    def until_held(self, domain: str, messages: int) -> dict[str, object]:
        """Return the event that tells this number of messages of a domain."""
        while True:
            if self._lines.get(timeout=SECONDS) != "event: held":
                continue
            data: dict[str, object] = json.loads(self._lines.get().removeprefix("data: "))
            if (data["domain"], data["messages"]) == (domain, messages):
                return data

    def until_record(self, name: str, change: str) -> None:
        """Return at the event of a change of a record."""
        while True:
            line = self._lines.get(timeout=SECONDS)
            if line.startswith("data: ") and '"change"' in line:
                data = json.loads(line.removeprefix("data: "))
                if (data["name"], data["change"]) == (name, change):
                    return


@contextmanager
def following(restante: Installation) -> Iterator[EventReader]:
    """Have curl follow the events at the control socket."""
    control = restante.directory / "data/control.sock"
    command = ["curl", "--silent", "--no-buffer", "--unix-socket", str(control)]
    with subprocess.Popen(
        [*command, "http://restante/v1/events"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            reader = EventReader(process)
            reader.until_alive()
            yield reader
        finally:
            process.terminate()


def test_each_way_in_which_held_mail_changes_is_told(tmp_path: Path) -> None:
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        restante.do("account", "add", "beta")
        restante.start()
        with following(restante) as reader:
            send(restante.mx, "anna@alpha.example", content=message("received"))
            assert reader.until_held("alpha.example", 1)["held"] == 1
            (tmp_path / "one.eml").write_bytes(message("imported"))
            imported = ("--reverse-path", "a@sender.example", "--to", "ben@alpha.example")
            restante.do("queue", "import", str(tmp_path / "one.eml"), *imported)
            reader.until_held("alpha.example", 2)
            restante.do("domain", "set", "alpha.example", "--retention", "20d")
            reader.until_record("alpha.example", "changed")
            restante.do("domain", "set", "alpha.example", "--account", "beta")
            reader.until_record("alpha.example", "added")  # to another account
            rows = json.loads(restante.do("queue", "list", "--json"))
            name = rows[0]["name"]
            restante.do("queue", "delete", name, "--yes", "--reason", "tests")
            assert reader.until_held("alpha.example", 1)["account"] == "beta"
