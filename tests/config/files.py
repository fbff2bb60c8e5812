"""A configuration on disk that is in order, to be spoiled by tests."""

from pathlib import Path

from restante.config.init import initialize

NOW = 1_760_000_000.0


def installed(directory: Path) -> Path:
    """Make an installation as `restante init` does and return its configuration."""
    return initialize(directory, "mx2.example.net", NOW).config


def replaced(config: Path, old: str, new: str) -> Path:
    """Replace a piece of the configuration."""
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    return config
