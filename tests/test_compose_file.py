"""contrib/compose: the file has the form of Compose, and all files that it names are there.

No test starts containers: tests/cluster/test_local_run.py starts the same without them.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]
from compose_spec import PyCompose
from cryptography.x509 import DNSName, SubjectAlternativeName

from restante.config.certificate import read_certificate
from restante.config.load import load_with_warnings

CHECKOUT: Final = Path(__file__).parents[1]
PLACE: Final = CHECKOUT / "contrib/compose"
TEXT: Final = (PLACE / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: Final[dict[str, Any]] = yaml.safe_load(TEXT)
VARIABLE: Final = re.compile(r"\$\{(\w+):[-?]([^}]*)\}")
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
SERVERS: Final = ("mx1", "mx2", "mx3")
DATABASES: Final = ("db1", "db2", "db3")
SCRIPTS: Final = ("prepare", "postgres/start-database", "postgres/found-database")


def resolved(text: str) -> str:
    """Return the text with its variables and anchors filled in: the reader knows neither."""
    filled = VARIABLE.sub(lambda found: "1:1" if found[1] == "OWNER" else found[2], text)
    plain: str = yaml.dump(yaml.safe_load(filled), Dumper=yaml.SafeDumper)
    return plain


def test_the_file_is_one_of_the_compose_specification() -> None:
    read = PyCompose.from_yaml(resolved(TEXT))
    read.validate()
    assert sorted(read.service_names()) == sorted((*DATABASES, *SERVERS))


def test_a_misspelled_setting_is_noticed() -> None:
    """The test above is one that can fail."""
    with pytest.raises(ValueError, match="stop_grace"):
        PyCompose.from_yaml(resolved(TEXT.replace("stop_grace_period", "stop_grace")))


def test_each_named_file_is_there_or_made(tmp_path: Path) -> None:
    for one in COMPOSE["configs"].values():
        assert (PLACE / one["file"]).is_file()
    prepare(tmp_path)
    made = {f"secrets/{file.name}" for file in tmp_path.iterdir()}
    assert made == {one["file"] for one in COMPOSE["secrets"].values()}
    for name in SERVERS + DATABASES:
        service = SERVICES[name]
        assert set(service["secrets"]) <= COMPOSE["secrets"].keys()
        assert {one["source"] for one in service["configs"]} <= COMPOSE["configs"].keys()


def test_secrets_are_for_their_owner_alone_and_are_kept(tmp_path: Path) -> None:
    prepare(tmp_path)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    prepare(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert len(first["restante.key"]) == 32
    certificate = read_certificate(first["cert.pem"])
    names = {SERVICES[name]["environment"]["RESTANTE_HOSTNAME"] for name in SERVERS}
    extension = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    assert names <= set(extension.value.get_values_for_type(DNSName))


def prepare(directory: Path) -> None:
    """Make the secrets."""
    subprocess.run([PLACE / "prepare", directory], check=True, timeout=60)


def test_the_settings_of_the_servers_are_valid() -> None:
    for name in SERVERS:
        environment = SERVICES[name]["environment"]
        config, warnings = load_with_warnings(PLACE / "restante.toml", environment)
        assert warnings == []
        assert config.hostname == f"{name}.example.net"
        inside = {text.rpartition(":")[2] for text in SERVICES[name]["ports"]}
        listening = {one.address.rpartition(":")[2] for one in config.listen}
        assert inside == listening | {config.telemetry.metrics.rpartition(":")[2]}
        for file in (config.key_file, config.store_password_file, *config.tls.certificate):
            assert file is not None
            assert file.name in SERVICES[name]["secrets"]


def test_commits_wait_for_one_of_the_databases() -> None:
    settings = (PLACE / "postgres/postgresql.conf").read_text()
    assert f"synchronous_standby_names = 'ANY 1 ({', '.join(DATABASES)})'" in settings
    for name in DATABASES:
        environment = SERVICES[name]["environment"]
        assert environment["DATABASE_NAME"] == name
        assert environment["DATABASE_HOSTS"] == ",".join(DATABASES)


def test_the_image_is_built_from_files_that_its_context_has() -> None:
    lines = (CHECKOUT / SERVICES["mx1"]["build"]["dockerfile"]).read_text().splitlines()
    copied = [words for line in lines if line.startswith("COPY") and "--from" not in line
              for words in line.split()[1:-1]]  # fmt: skip
    allowed = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for name in copied:
        assert (CHECKOUT / name).exists()
        assert f"!{name}" in allowed
    asked = SERVICES["mx1"]["healthcheck"]["test"][2]
    assert any(line.endswith(f" {asked}") for line in lines)


@pytest.mark.parametrize("name", [*SCRIPTS, "local/docker-entrypoint.sh"])
def test_each_script_is_one(name: str) -> None:
    script = PLACE / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True, timeout=60)


def test_both_ways_to_start_name_the_same_programs() -> None:
    """The stand-in for the image's entry point has its name, and is called by it."""
    script = (PLACE / "postgres/start-database").read_text()
    assert re.search(r"^exec docker-entrypoint\.sh postgres", script, re.MULTILINE)
