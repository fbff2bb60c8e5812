"""Prometheus and promtool, as `ci/install-prometheus` unpacks them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import httpx

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.process_group import ProcessGroup
from tests.acceptance.peers.programs import Ended, missing, peers_directory

INTERVAL: Final = "1s"  # between two scrapes; one may last as long


def program(name: str) -> Path:
    """Return the path of one of the two; without it the test cannot run."""
    path = peers_directory() / "prometheus/usr/bin" / name
    if not path.exists():
        missing(f"{path} is not there: run ci/install-prometheus")
    return path


def promtool(*words: str | Path) -> Ended:
    """Run promtool to its end, whatever its exit code."""
    return subprocess.run(
        [program("promtool"), *words],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )


class Prometheus:
    """A Prometheus on loopback that reads one server, with a file of rules."""

    def __init__(self, target: str, rules: Path) -> None:
        self._directory = TemporaryDirectory(prefix="prometheus-")
        directory = Path(self._directory.name)
        self._log = directory / "log"
        self._config = directory / "prometheus.yml"
        config = {
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "restante", "static_configs": [{"targets": [target]}]}],
        }
        self._config.write_text(json.dumps(config))  # JSON is YAML
        self._port = free_port()
        self._group = ProcessGroup(self._log)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", timeout=90)

    def __enter__(self) -> Self:
        data = Path(self._directory.name) / "data"
        self._group.start(
            [
                program("prometheus"),
                f"--config.file={self._config}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ]
        )
        eventually(self._is_ready, what="Prometheus to be ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._group.stop()
        self._directory.cleanup()

    def _is_ready(self) -> bool:
        assert self._group.is_running, self._log.read_text()
        try:
            return self._client.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the samples that answer a query now. Fails if the query is wrong.

        There are none after a scrape that failed, as one that took too long.
        """
        answer = self._client.get("/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        data = answer["data"]
        assert data["resultType"] == "vector", query
        samples: list[dict[str, Any]] = data["result"]
        return samples

    def rules(self) -> list[dict[str, Any]]:
        """Return its rules, with their health and state."""
        groups = self._client.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]
