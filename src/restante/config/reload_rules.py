"""Which settings a reload applies and which wait for a restart. Pure.

The running configuration is kept apart from the file that was read last: a setting that needs a
restart keeps its running value until then.
"""

from collections.abc import Sequence
from typing import Final

from restante.config.listen_settings import Listen
from restante.config.schema import Config

APPLIED_BY_RELOAD: Final = (
    "listen",
    "tls",
    "acme",
    "reception",
    "hygiene",
    "delivery",
    "release",
    "reports",
    "notices",
    "history",
    "metrics",
    "presence",
    "web",
    "oidc",
)
NEED_RESTART: Final = (
    "hostname",
    "store",
    "store_password_file",
    "rpo",
    "pooled",
    "state_dir",
    "workers",
    "objects",
    "key_file",
    "seal_content",
    "control_socket",
    "user",
    "uvloop",
    "log",
    "telemetry",
    "resolver",
    "portal",
)


def effective(running: Config, read: Config, listen: Sequence[Listen]) -> Config:
    """Return what runs after a reload of `read`, with the listeners that are then open."""
    kept = {name: getattr(running, name) for name in NEED_RESTART}
    return read.model_copy(update={**kept, "listen": tuple(listen)})


def settings_needing_restart(running: Config, read: Config) -> list[str]:
    """Name the settings whose value in the file differs from the one that runs."""
    return [name for name in NEED_RESTART if getattr(running, name) != getattr(read, name)]
