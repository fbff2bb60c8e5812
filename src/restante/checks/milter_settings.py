"""The settings for milters: filters that speak the protocol of Sendmail."""

import re
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from restante.network.addresses import split_host_port
from restante.network.setting_error import setting_error

LONGEST_WAIT: Final = 10.0  # seconds
_UNIX: Final = "unix:"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}\Z")
_TAKEN: Final = frozenset(  # by other checks
    {"dnsbl", "early-talker", "greylist", "rspamd", "spf", "suspicion"}
)


class MilterPlace(NamedTuple):
    """Where a milter listens: a host and a port, or the path of a Unix socket."""

    host: str
    port: int
    socket: str = ""


def milter_place(text: str) -> MilterPlace:
    """Read the address of a milter. Raises ValueError."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path.startswith("/") or "\0" in path:
            raise ValueError("is not the absolute path of a Unix socket")
        return MilterPlace("", 0, path)
    host, port = split_host_port(text)
    if not host or not port:
        raise ValueError("has no host and port")
    return MilterPlace(host, port)


def _check_place(text: str) -> str:
    try:
        milter_place(text)
    except ValueError as error:
        remedy = (
            'write its host and port, such as "127.0.0.1:8891", or the path of its socket as'
            ' "unix:/run/opendkim/opendkim.sock"'
        )
        raise setting_error(str(error), remedy) from None
    return text


def _check_name(text: str) -> str:
    if text in _TAKEN:
        raise setting_error("is the name of another check", "choose another name")
    if not _NAME.match(text):
        raise setting_error(
            "is not a name", 'write one of small letters and digits, such as "opendkim"'
        )
    return text


class MilterSettings(BaseModel):
    """One `[[hygiene.milters]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_check_name)] = Field(
        description="The name of the milter in verdicts, in the log and in notices.",
        examples=["opendkim"],
    )
    address: Annotated[str, AfterValidator(_check_place)] = Field(
        description="Where it listens: host and port, or `unix:` and the path of a socket.",
        examples=["127.0.0.1:8891"],
    )
    timeout: Annotated[float, Field(gt=0, le=LONGEST_WAIT)] = Field(
        default=5.0,
        description="Seconds for the whole conversation about a message. After that, the message"
        " is held unexamined.",
    )
