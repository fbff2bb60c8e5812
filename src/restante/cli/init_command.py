"""`restante init`: create the first files of an installation, or renew its certificates."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restante.cli.api_client import read_config
from restante.cli.display import say
from restante.cli.failures import Exit, Failure
from restante.cli.options import ConfigOption
from restante.cli.progress import late
from restante.phrases import EXISTS

if TYPE_CHECKING:
    from restante.config.init_files import InstallationFiles


DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="Directory for the installation.", show_default=False
    ),
]


def init(
    directory: DirectoryOption = None,
    hostname: Annotated[
        str | None,
        typer.Option(
            "--hostname", metavar="NAME", help="This server's full name. Default: the machine's."
        ),
    ] = None,
    *,
    renew_certificate: Annotated[
        bool,
        typer.Option(
            "--renew-certificate",
            help="Replace the self-signed certificates of an installation. The keys stay.",
        ),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Create a configuration, keys and an empty store.

    The installation listens on loopback ports. Its certificates are self-signed and valid for
    397 days. Nothing is overwritten.

    With `--renew-certificate`, the installation of `--dir` or `--config` gets new certificates for
    its own name. The keys and everything else stay.
    """
    if renew_certificate:
        if hostname is not None:
            raise Failure(
                Exit.USAGE,
                "--hostname: the name in the configuration is used; set `hostname` there",
            )
        _renew(directory.absolute() / "restante.toml" if directory else config)
    else:
        _create(directory, hostname)


def _create(directory: Path | None, hostname: str | None) -> None:
    if directory is None:
        raise Failure(
            Exit.USAGE, "no directory was given; pass --dir DIR, such as --dir /etc/restante"
        )
    with late("making keys, certificates and a store"):
        made = _make(directory.absolute(), _checked_name(hostname))
        asyncio.run(_make_store(made))
    say(f"made {made.config}; run it: restante serve --config {made.config}")
    say(
        f"copy {made.key_file} to another place: without it, held mail and secrets are lost; then"
        f" confirm it: restante key confirm-copied --config {made.config}"
    )


def _renew(config_file: Path | None) -> None:
    from restante.config.config_check import check_tls  # noqa: PLC0415  heavy
    from restante.config.config_problem import ConfigError  # noqa: PLC0415
    from restante.config.renewal import NotRenewable, renew  # noqa: PLC0415

    config = read_config(config_file)
    try:
        check_tls(config)
        renewed = renew(config, time.time())
    except ConfigError as error:
        raise Failure(Exit.CONFIGURATION, *map(str, error.problems)) from None
    except NotRenewable as refused:
        raise Failure(Exit.DATA, str(refused)) from None
    except OSError as error:
        text = (
            f"{error.filename}: {error.strerror}; run this as the owner of the certificates, or as"
            " root"
        )
        raise Failure(Exit.CANNOT_CREATE, text) from None
    until = datetime.fromtimestamp(renewed.ends, UTC)
    say(f"renewed until {until:%Y-%m-%d}: {', '.join(map(str, renewed.certificates))}")
    say(
        f"next, copy {renewed.trust} to the hosts that trust it, then reload: systemctl reload"
        " restante, or SIGHUP"
    )


def _checked_name(hostname: str | None) -> str:
    from restante.config.init_files import own_name  # noqa: PLC0415  heavy
    from restante.mail.address import canonical_domain  # noqa: PLC0415

    try:
        return own_name() if hostname is None else canonical_domain(hostname)
    except ValueError as error:
        raise Failure(
            Exit.DATA, f"hostname: {error}; give a full name such as mx2.example.net"
        ) from None


def _make(directory: Path, hostname: str) -> "InstallationFiles":
    from restante.config.init_files import AlreadyThere, initialize  # noqa: PLC0415  heavy

    try:
        return initialize(directory, hostname, time.time())
    except AlreadyThere as there:
        text = (
            f"{there}: {EXISTS}, nothing was changed; choose another --dir, or remove what is there"
        )
        raise Failure(Exit.CANNOT_CREATE, text) from None
    except OSError as error:
        text = (
            f"{error.filename or directory}: {error.strerror}; choose a --dir that you may write to"
        )
        raise Failure(Exit.CANNOT_CREATE, text) from None


async def _make_store(made: "InstallationFiles") -> None:
    from restante.cli.offline_admin import open_configured_store  # noqa: PLC0415  heavy
    from restante.config.load import load  # noqa: PLC0415

    store = await open_configured_store(load(made.config, {}))
    await store.close()
