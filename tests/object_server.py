"""An object store for tests: OpenStack Swift with its S3 protocol, all of it on loopback.

Four processes: proxy, account, container and object server. Everything is in one directory, with
one copy of each object. There is no cache, which costs some speed. The directory needs extended
attributes.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import obstore
from obstore.store import S3Store

from restante.store.object_access import ObjectAccess
from tests.acceptance.peers.ports import free_port
from tests.postgres_cluster import end_with_parent

KEY: Final = "test:tester"
SECRET: Final = "testing"
BUCKET: Final = "mail"
_SERVERS: Final = ("account", "container", "object", "proxy")
_START_SECONDS: Final = 200.0
_SWIFT_CONF: Final = """
[swift-hash]
swift_hash_path_suffix = restante
swift_hash_path_prefix = restante
[storage-policy:0]
name = one
default = yes
"""
_COMMON: Final = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {place}
devices = {place}/devices
mount_check = false
log_address = /nonexistent
log_level = WARNING
"""
_STORAGE: Final = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
fallocate_reserve = 0
"""
_PROXY: Final = """
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
# Rings of one device, made without the three runs of swift-ring-builder that each take a second.
_RINGS: Final = """
import sys
from swift.common.ring import RingBuilder
for kind, port in zip(("account", "container", "object"), sys.argv[2:]):
    builder = RingBuilder(1, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port),
                     "device": "one", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{kind}.ring.gz")
"""


class ObjectServer:
    """An object store with one bucket. Its data is in memory where the system offers that."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self._directory = tempfile.TemporaryDirectory(
            prefix="objects-", dir=memory if _has_attributes(memory) else None
        )
        self.place = Path(self._directory.name)
        self._ports = [free_port() for _ in _SERVERS]
        self._servers: list[subprocess.Popen[bytes]] = []
        self._write_settings()
        self.start()
        self._make_bucket()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._ports[-1]}"

    def access(self, prefix: str) -> ObjectAccess:
        """Return the settings for a prefix of the bucket."""
        secret = self.place / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        return ObjectAccess(
            f"s3://{BUCKET}/{prefix}", self.endpoint, "us-east-1", KEY, secret, None, self.place
        )

    def store(self, prefix: str = "") -> S3Store:
        """Return a client."""
        return S3Store(
            BUCKET,
            prefix=prefix or None,
            endpoint=self.endpoint,
            region="us-east-1",
            access_key_id=KEY,
            secret_access_key=SECRET,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def start(self) -> None:
        """Start the processes, and wait until they answer."""
        programs = Path(sys.executable).parent
        for kind in _SERVERS:
            program, settings = programs / f"swift-{kind}-server", self.place / f"{kind}.conf"
            with (self.place / f"{kind}.log").open("ab") as log:
                self._servers.append(
                    subprocess.Popen(
                        [sys.executable, program, settings],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        preexec_fn=end_with_parent,  # noqa: PLW1509  it calls prctl(2) alone
                    )
                )
        end = time.monotonic() + _START_SECONDS
        for port in self._ports:
            while True:
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                assert time.monotonic() < end, "swift does not start: see its logs"
                time.sleep(0.02)

    def halt(self) -> None:
        """End the processes. Stored objects are there at the next start."""
        for server in self._servers:
            server.send_signal(signal.SIGKILL)
        for server in self._servers:
            server.wait()
        self._servers = []

    def pause(self) -> None:
        """Let the proxy accept connections and answer nothing."""
        self._servers[-1].send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End that."""
        self._servers[-1].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, with all its data."""
        self.halt()
        self._directory.cleanup()

    def _write_settings(self) -> None:
        (self.place / "devices" / "one").mkdir(parents=True)
        (self.place / "swift.conf").write_text(_SWIFT_CONF)
        for kind, port in zip(_SERVERS, self._ports, strict=True):
            more = _PROXY if kind == "proxy" else _STORAGE.format(kind=kind)
            user = os.environ.get("USER") or "root"
            text = _COMMON.format(port=port, user=user, place=self.place) + more
            (self.place / f"{kind}.conf").write_text(text)
        ports = [str(port) for port in self._ports[:-1]]
        subprocess.run([sys.executable, "-c", _RINGS, self.place, *ports], check=True)

    def _make_bucket(self) -> None:
        url = obstore.sign(self.store(), "PUT", "", timedelta(minutes=5))
        urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()


def _has_attributes(place: Path) -> bool:
    """Tell whether files there can have extended attributes."""
    try:
        with tempfile.NamedTemporaryFile(dir=place) as file:
            os.setxattr(file.name, "user.restante", b"1")
    except OSError:
        return False
    return True
