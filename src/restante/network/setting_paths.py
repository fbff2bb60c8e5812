"""Paths in settings: they are relative to the directory of the configuration file."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo


def _beside_configuration(value: str, info: ValidationInfo) -> str:
    """Return the whole path of a file that a setting names; "" for none.

    The reader of the file gives its directory as a context; otherwise the present one counts.
    """
    directory: Path = (info.context or {}).get("directory", Path.cwd())
    return str(directory / Path(value).expanduser()) if value else ""


BesidePath = Annotated[str, AfterValidator(_beside_configuration)]
