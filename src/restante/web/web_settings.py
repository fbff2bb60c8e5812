"""The settings of the `web` listeners."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from restante.network.setting_error import setting_error
from restante.tenancy.model import IpNetwork, parse_network

_BEGINNING: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+", re.ASCII)


def _check_network(value: Any) -> IpNetwork:
    try:
        return parse_network(str(value))
    except ValueError as error:
        remedy = 'write an address or a network, such as "192.0.2.10" or "10.0.0.0/24"'
        raise setting_error(str(error), remedy) from None


def _check_url(value: str) -> str:
    if value and not _BEGINNING.fullmatch(value):
        remedy = 'write it without a path, such as "https://portal.example.net"'
        raise setting_error("is not the beginning of a URL", remedy)
    return value


class WebSettings(BaseModel):
    """`[web]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trusted_proxies: tuple[Annotated[IpNetwork, BeforeValidator(_check_network)], ...] = Field(
        default=(),
        description="Addresses and networks of reverse proxies in front of the `web` listeners."
        " Only their `X-Forwarded-For` is believed. A `web` listener without TLS on another address"
        " than loopback serves nobody else.",
        examples=["10.0.0.5"],
    )
    url: Annotated[str, AfterValidator(_check_url)] = Field(
        default="",
        description="The beginning of the portal's address, as people reach it, without a path."
        " One-time links begin with it. Unset: the address of the first `web` listener.",
        examples=["https://portal.example.net"],
    )
