"""Paths in settings: they are relative to the directory of the configuration file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo


def configuration_directory(info: ValidationInfo) -> Path:
    """Return the base of relative paths: the directory of the configuration file.

    The reader of the file gives it as a context; otherwise the present one counts.
    """
    context: dict[str, Path] = info.context or {}
    return context.get("directory", Path.cwd())


def _resolved(path: Path, info: ValidationInfo) -> Path:
    return configuration_directory(info) / path.expanduser()


def _beside_configuration(value: str, info: ValidationInfo) -> str:
    """Return the whole path of a file that a setting names; "" for none."""
    return str(_resolved(Path(value), info)) if value else ""


BesidePath = Annotated[str, AfterValidator(_beside_configuration)]
ConfigPath = Annotated[Path, AfterValidator(_resolved)]
