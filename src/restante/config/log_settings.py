"""The settings of the log: its format, its levels and its place."""

from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from restante.config.section import Section
from restante.network.setting_error import setting_error
from restante.network.setting_paths import ConfigPath
from restante.telemetry.events.event import EventLevel

DEFAULT_SYSLOG: Final = Path("/dev/log")


class LogSettings(Section):
    """`[log]`: the format and the place of the log."""

    style: Literal["text", "json"] = Field(
        default="text", description="`text` for people, `json` for programs."
    )
    level: EventLevel = Field(
        default="info",
        description="Least level of the lines that are written: `info`, `warning` or `error`. The"
        " reference of events has the level of each. Metrics and notices do not depend on it.",
    )
    to: Literal["stderr", "file", "syslog"] = Field(
        default="stderr",
        description="Place of the log. `stderr`: standard error, which systemd keeps in its journal"
        " and containers pass on. `file`: the file of `file`. `syslog`: the syslog server of this"
        " machine (RFC 5424).",
    )
    file: ConfigPath | None = Field(
        default=None,
        description='File for `to = "file"`, on a local disk. A new one is made when it was moved'
        " away, and at a reload. The server makes no directory, and must be allowed to write there"
        " as `user`.",
        examples=["/var/log/restante/restante.log"],
    )
    syslog_socket: ConfigPath = Field(
        default=DEFAULT_SYSLOG,
        description='Local socket of the syslog server for `to = "syslog"`. It takes datagrams.',
    )

    @model_validator(mode="after")
    def _is_of_one_place(self) -> Self:
        if self.to == "file" and self.file is None:
            remedy = 'add file = "/var/log/restante/restante.log", or remove to'
            raise setting_error('to = "file" needs a file', remedy)
        if self.to != "file" and self.file is not None:
            raise setting_error(f'file has no use with to = "{self.to}"', 'write to = "file"')
        if self.to != "syslog" and self.syslog_socket != DEFAULT_SYSLOG:
            cause = f'syslog_socket has no use with to = "{self.to}"'
            raise setting_error(cause, 'write to = "syslog", or remove syslog_socket')
        return self

    @property
    def place(self) -> str:
        """The place, for people."""
        if self.file is not None:
            return str(self.file)
        return f"syslog at {self.syslog_socket}" if self.to == "syslog" else "standard error"
