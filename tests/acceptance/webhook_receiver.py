"""An HTTP receiver of webhooks that checks signatures as docs/how-to/get-notices.md says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.threaded import Threaded
from tests.documented_receiver import verify

HOST: Final = "127.0.0.1"
PATH: Final = "/hooks/a-token-in-the-path"


@dataclass(frozen=True)
class Taken:
    """One notice that came."""

    id: str
    facts: dict[str, Any]


class WebhookReceiver(Threaded):
    """Listens while its `with` lasts; the port is the same in the next one."""

    def __init__(self, *, tolerance: float = 300.0) -> None:
        """`tolerance` is in seconds: how far the sender's clock may be off."""
        self._tolerance = tolerance
        self.port = free_port(HOST)
        self.key = ""
        self.taken: list[Taken] = []
        self.refused: list[str] = []  # the faults of others
        self.answer = 204

    @property
    def url(self) -> str:
        """Where notices are to go."""
        return f"http://{HOST}:{self.port}{PATH}"

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(
                    receiver._take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                )
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, self.port), Handler)
        return super().__enter__()

    def wait_for(self, count: int) -> list[Taken]:
        """Return what came, once there are so many."""
        eventually(lambda: len(self.taken) >= count, what=f"{count} notices")
        return self.taken

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if path != PATH or not verify(self.key, headers, body, self._tolerance):
            self.refused.append(path)
            return 401
        self.taken.append(Taken(headers["webhook-id"], json.loads(body)))
        return self.answer
