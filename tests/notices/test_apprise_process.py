"""The process of one push: its answers, its limits, and the places that it may reach."""

import json
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from restante.notices import push_transport
from restante.notices.apprise_process import PushAnswer


def test_a_push_of_a_server_that_was_killed_ends_by_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=300"
        job = json.dumps({"url": url, "title": "a", "body": "b", "seconds": 1})
        ended = subprocess.run(push_transport._COMMAND, input=job.encode(), check=False, timeout=60)
    assert ended.returncode == -signal.SIGALRM


def answered(**job: Any) -> int:
    """Return the exit code of the process; nothing may be written."""
    ended = subprocess.run(
        push_transport._COMMAND,
        input=json.dumps({"seconds": 60, **job}).encode(),
        check=False,
        timeout=120,
        capture_output=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")
    return ended.returncode


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("json://hook.example/", PushAnswer.YES),
        ("nothing://hook.example/", PushAnswer.UNKNOWN_URL),
        ("", PushAnswer.UNKNOWN_URL),
    ],
)
def test_without_a_body_it_only_says_whether_the_url_is_known(url: str, answer: PushAnswer) -> None:
    assert answered(url=url) == answer


@pytest.mark.parametrize(("is_public_only", "connections"), [(False, 1), (True, 0)])
def test_an_account_reaches_no_private_address(is_public_only: bool, connections: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        came = []

        def take() -> None:
            peer, _ = listener.accept()
            with peer:
                came.append(peer.recv(65536))
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        url = f"json://127.0.0.1:{listener.getsockname()[1]}/"
        taking = threading.Thread(target=take, daemon=True)
        if connections:
            taking.start()
        answer = answered(url=url, title="a", body="b", is_public_only=is_public_only)
        if connections:
            taking.join()
        else:
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
    assert answer == (PushAnswer.YES if connections else PushAnswer.NOT_TAKEN)
    assert len(came) == connections


def test_proxies_are_not_used_where_addresses_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address behind a proxy cannot be seen."""
    for name in ("http_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    code = (
        "import os; from restante.notices.apprise_process import _stay_public; _stay_public();"
        "print([name for name in os.environ if 'proxy' in name.lower()])"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert ended.stdout == b"[]\n"
