"""The settings of the `web` listeners."""

import ipaddress
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from restante.web.client_address import Network


def _check_network(value: Any) -> Network:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        remedy = 'write an address or a network, such as "192.0.2.10" or "10.0.0.0/24"'
        raise PydanticCustomError(
            "restante",
            "{cause}",
            {"cause": "is not an address or a network", "remedy": remedy},
        ) from None


class WebSettings(BaseModel):
    """`[web]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trusted_proxies: tuple[Annotated[Network, BeforeValidator(_check_network)], ...] = Field(
        default=(),
        description="Addresses and networks of reverse proxies in front of the `web` listeners."
        " Only their `X-Forwarded-For` is believed. A `web` listener without TLS on another address"
        " than loopback serves nobody else.",
        examples=["10.0.0.5"],
    )
