"""The settings for rspamd as a filter of content."""

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from restante.network.late_module import LateModule
from restante.network.setting_error import setting_error

if TYPE_CHECKING:
    import httpx
else:
    httpx = LateModule("httpx")

LONGEST_WAIT: Final = 10.0  # seconds
_REMEDY: Final = (
    'write one such as "http://127.0.0.1:11333", or the path of its socket as'
    ' "unix:/run/rspamd/normal.sock"'
)


class FilterPlace(NamedTuple):
    """Where a filter listens: a URL, and the Unix socket that stands for its host, or ""."""

    url: str
    socket: str


def filter_place(text: str) -> FilterPlace:
    """Read the place of an HTTP filter. Raises ValueError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/") or "\0" in path:
            raise ValueError("is not the absolute path of a Unix socket")
        return FilterPlace("http://localhost", path)
    try:
        parts = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError("is not a URL") from error
    is_fit = parts.scheme in ("http", "https") and bool(parts.host) and parts.port != 0
    is_plain = text.isascii() and text.isprintable() and not set(" ?#@") & set(text)
    if not (is_fit and is_plain):
        raise ValueError("is not a URL of http or https, nor a Unix socket")
    return FilterPlace(text.rstrip("/"), "")


def _check_place(text: str) -> str:
    try:
        if text:
            filter_place(text)
    except ValueError as error:
        raise setting_error(str(error), _REMEDY) from None
    return text


class RspamdSettings(BaseModel):
    """`[hygiene.rspamd]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(_check_place)] = Field(
        default="",
        description="Where a worker of rspamd takes messages over HTTP: a URL, or `unix:` and the"
        " path of a socket. Each message is examined at the end of its content. Empty: none is."
        " With it, the names of clients are looked up as with `reception.ptr`.",
        examples=["http://127.0.0.1:11333"],
    )
    password_file: str = Field(
        default="",
        description="File with the password that this worker wants. It is read again at a reload."
        " A relative path begins at the directory of the configuration file. Empty: none.",
        examples=["rspamd.password"],
    )
    ca_file: str = Field(
        default="",
        description="PEM file with the authorities that may sign the certificate of an https URL."
        " Empty: those of the system.",
        examples=["rspamd-ca.pem"],
    )
    timeout: Annotated[float, Field(gt=0, le=LONGEST_WAIT)] = Field(
        default=5.0,
        description="Seconds for an answer. After that, the message is held unexamined.",
    )

    @field_validator("password_file", "ca_file")
    @classmethod
    def _is_beside_the_configuration(cls, value: str, info: ValidationInfo) -> str:
        directory = (info.context or {}).get("directory")
        return str(directory / value) if value and directory else value
