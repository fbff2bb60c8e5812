"""The process of one push: its answers, its limits, and the places that it may reach."""

import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from restante.notices import push_transport
from restante.notices.apprise_process import PushAnswer
from tests.whole_request import read_request


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
                came.append(read_request(peer))
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


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Listen on loopback, answer 200 to all, and collect what comes."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            while True:
                try:
                    bare, _ = listener.accept()
                except OSError:
                    return
                with (
                    suppress(OSError),
                    tls.wrap_socket(bare, server_side=True) if tls else bare as peer,
                ):
                    came.append(read_request(peer))
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("is_of_account", "read"), [(False, True), (True, False)])
def test_no_file_is_read_for_an_account(tmp_path: Path, is_of_account: bool, read: bool) -> None:
    """Even if the URL passed the list of arguments, this process opens none."""
    secret = tmp_path / "template.json"
    part = {"contentType": "of this machine"}
    secret.write_text(json.dumps({"type": "message", "attachments": [part]}))
    code = (
        "import sys; from restante.notices import apprise_process as p; p._import_all();"
        "p._touch_nothing() if sys.argv[2] == 'True' else None;"
        "service = p._service('workflows://host.example:443/w/s?template=' + sys.argv[1]);"
        "print(service.gen_payload('b', 't'))"
    )
    command = [sys.executable, "-c", code, str(secret), str(is_of_account)]
    ended = subprocess.run(command, check=False, capture_output=True)
    assert (b"of this machine" in ended.stdout) is read


@pytest.mark.parametrize(("is_of_account", "octets"), [(False, True), (True, False)])
def test_nothing_is_sent_in_clear_for_an_account(is_of_account: bool, octets: bool) -> None:
    with receiver() as (port, came):
        url = f"json://127.0.0.1:{port}/"
        answer = answered(url=url, title="a", body="b", is_of_account=is_of_account)
    assert (answer == PushAnswer.YES) is octets
    assert any(came) is octets


@pytest.mark.parametrize("is_trusted", [True, False])
def test_an_account_reaches_a_service_by_verified_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    """The rules leave whatever a push by HTTPS needs."""
    ours, theirs = trustme.CA(), trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (ours if is_trusted else theirs).issue_cert("localhost").configure_cert(tls)
    ours.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with receiver(tls) as (port, came):
        url = f"jsons://localhost:{port}/?rto=5&tz=Europe/Vienna"
        answer = answered(url=url, title="a", body="b", is_of_account=True)
    assert answer == (PushAnswer.YES if is_trusted else PushAnswer.NOT_TAKEN)
    assert any(came) is is_trusted


@pytest.mark.parametrize(
    ("work", "is_done"),
    [
        ("open('/etc/hostname')", False),
        ("open(__import__('apprise').__file__)", True),
        ("open(__import__('apprise').__file__, 'a')", False),
        ("open(__import__('apprise').__file__ + '/../../../../../../../../etc/hosts')", False),
        ("os.open('/etc/passwd', os.O_RDONLY)", False),
        ("os.system('true')", False),
        ("__import__('subprocess').run(['true'])", False),
        ("__import__('http.client').client.HTTPConnection('127.0.0.1', 9).connect()", False),
        ("__import__('urllib.request').request.urlopen('http://127.0.0.1:9/')", False),
    ],
)
def test_hooks_refuse_files_programs_and_plain_text(work: str, is_done: bool) -> None:
    code = (
        f"import os; from restante.notices import apprise_process as p; p._touch_nothing(); {work}"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert (ended.returncode == 0) is is_done, ended.stderr
    assert is_done or b"for an account" in ended.stderr
