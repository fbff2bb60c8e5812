"""A configuration on disk that is in order, to be spoiled by tests."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from restante.config.init_files import initialize

NOW = 1_760_000_000.0


def installed(directory: Path) -> Path:
    """Make an installation as `restante init` does and return its configuration."""
    shutil.copytree(_made(), directory, dirs_exist_ok=True)
    return directory / "restante.toml"


@cache
def _made() -> Path:
    """Make one installation, for all tests to copy: a key for RSA takes 40 ms."""
    directory = TemporaryDirectory(prefix="restante-made-")
    atexit.register(directory.cleanup)
    return initialize(Path(directory.name), "mx2.example.net", NOW).config.parent


def replaced(config: Path, old: str, new: str) -> Path:
    """Replace a piece of the configuration."""
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    return config
