"""The hosts in the URL of a database, each by a URL of its own. Pure."""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_HOST: Final = "host"
_PORT: Final = "port"


def url_of_each_host(url: str) -> list[str]:
    """Return the URL once for each of its hosts, in their order.

    Hosts are in the place of a host, or in the option `host` with ports in the option `port`.
    """
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    if hosts:
        return [parts._replace(netloc=f"{user}{at}{host}").geturl() for host in hosts.split(",")]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    hosts, ports = options.get(_HOST, ""), options.get(_PORT, "").split(",")
    if "," not in hosts:
        return [url]
    return [
        _with_options(url, {**options, _HOST: host, _PORT: port})
        for host, port in _paired(hosts.split(","), ports)
    ]


def _paired(hosts: list[str], ports: list[str]) -> list[tuple[str, str]]:
    """Give each host its port; one port is that of all hosts. Raises ValueError."""
    if len(ports) == 1:
        ports *= len(hosts)
    return list(zip(hosts, ports, strict=True))


def _with_options(url: str, options: dict[str, str]) -> str:
    """Put other options into a URL; an empty port is the usual one."""
    if not options[_PORT]:
        del options[_PORT]
    base, _, _ = url.partition("?")
    return f"{base}?{urlencode(options, quote_via=quote, safe='/')}"
