"""The address under which people reach the portal."""

from typing import Final

from restante.config.listen_settings import WEB
from restante.config.schema import Config
from restante.network.addresses import join_host_port

HTTPS: Final = 443


def portal_url(config: Config) -> str:
    """Return its beginning, without a slash at the end; "" if there is no `web` listener."""
    if config.web.url:
        return config.web.url
    listen = next((one for one in config.listen if one.service == WEB), None)
    if listen is None:
        return ""
    host, port = listen.endpoint
    if listen.tls:  # a certificate has a name
        is_usual = port == HTTPS
        return f"https://{config.hostname if is_usual else join_host_port(config.hostname, port)}"
    return f"http://{join_host_port(host, port)}"
