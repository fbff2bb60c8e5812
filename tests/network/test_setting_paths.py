"""Paths in settings."""

from pathlib import Path

from pydantic import BaseModel

from restante.network.setting_paths import BesidePath, ConfigPath


class Named(BaseModel):
    """A setting with a file."""

    file: BesidePath = ""
    path: ConfigPath | None = None


def test_a_file_lies_beside_the_configuration_unless_its_path_is_whole() -> None:
    def read(file: str) -> str:
        context = {"directory": Path("/etc/restante")}
        return Named.model_validate({"file": file}, context=context).file

    assert read("ca.pem") == "/etc/restante/ca.pem"
    assert read("/srv/ca.pem") == "/srv/ca.pem"
    assert read("~/ca.pem") == str(Path.home() / "ca.pem")
    assert read("") == ""


def test_without_a_configuration_the_present_directory_counts() -> None:
    assert Named(file="ca.pem").file == str(Path.cwd() / "ca.pem")


def test_a_path_starts_there_too() -> None:
    context = {"directory": Path("/etc/restante")}
    assert Named.model_validate({"path": "r.key"}, context=context).path == Path(
        "/etc/restante/r.key"
    )
    assert Named.model_validate({"path": "r.key"}).path == Path.cwd() / "r.key"
