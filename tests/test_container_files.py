"""The files of contrib/container fit each other. `make packages-test` runs the image."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from compose_spec import PyCompose

from restante.config.load import load_with_warnings
from restante.config.schema import Config
from tests.test_compose_file import resolved

PLACE: Final = Path(__file__).parents[1] / "contrib/container"
TEXT: Final = (PLACE / "compose.yaml").read_text(encoding="utf-8")
SERVICE: Final[dict[str, Any]] = yaml.safe_load(TEXT)["services"]["restante"]
CONTAINERFILE: Final = (PLACE / "Containerfile").read_text(encoding="utf-8")
VOLUME: Final = "/var/lib/restante"


def config() -> Config:
    read, warnings = load_with_warnings(PLACE / "restante.toml", {"RESTANTE_HOSTNAME": "a.example"})
    assert warnings == []
    return read


def test_the_file_is_one_of_the_compose_specification() -> None:
    read = PyCompose.from_yaml(resolved(TEXT))
    read.validate()
    assert list(read.service_names()) == ["restante"]


def test_each_published_port_is_one_of_a_listener() -> None:
    published = {text.rpartition(":")[2] for text in SERVICE["ports"]}
    assert published == {one.address.rpartition(":")[2] for one in config().listen}
    exposed = next(line for line in CONTAINERFILE.splitlines() if line.startswith("EXPOSE "))
    assert published <= set(exposed.split()[1:])


def test_image_and_service_ask_for_health_in_one_way() -> None:
    asked: str = SERVICE["healthcheck"]["test"][1]
    assert f"    CMD {asked.replace('$$', '$')}\n" in CONTAINERFILE


def test_the_first_command_makes_what_the_configuration_names(tmp_path: Path) -> None:
    told = next(line for line in TEXT.splitlines() if " init " in line)
    program, *words = told.partition("run --rm restante ")[2].split()
    assert (program, words[words.index("--dir") + 1]) == ("restante", VOLUME)
    words[words.index("--dir") + 1] = str(tmp_path)
    command = [str(Path(sys.executable).with_name(program)), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    read = config()
    store = Path(read.store.removeprefix("sqlite://"))
    for file in (store, read.key_file, *read.tls.certificate, *read.tls.key):
        assert file is not None
        assert (tmp_path / file.relative_to(VOLUME)).exists()


def test_nothing_is_written_outside_of_the_volume_and_memory() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["volumes"] == [f"mail:{VOLUME}"]
    memory = [line.partition(":")[0] for line in SERVICE["tmpfs"]]
    assert str(config().control_socket.parent) in memory
