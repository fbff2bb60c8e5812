"""`restante init`: the first files of an installation. Nothing is ever overwritten."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restante.cli.display import say
from restante.cli.failures import Exit, Failure

if TYPE_CHECKING:
    from restante.config.init import Made


def init(
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where to put everything.")],
    hostname: Annotated[
        str | None, typer.Option("--hostname", metavar="NAME", help="This server's full name. Else the machine's.")
    ] = None,
) -> None:
    """Make a configuration, keys and an empty store.

    It listens on loopback ports, with a self-signed certificate, and runs at once. Nothing is overwritten.
    """
    made = _make(directory.absolute(), _checked_name(hostname))
    asyncio.run(_make_store(made))
    say(f"made {made.config}; run it: restante serve --config {made.config}")


def _checked_name(hostname: str | None) -> str:
    from restante.config.init import own_name  # noqa: PLC0415  heavy
    from restante.mail.address import canonical_domain  # noqa: PLC0415

    try:
        return own_name() if hostname is None else canonical_domain(hostname)
    except ValueError as error:
        raise Failure(Exit.DATA, f"hostname: {error}; give a full name such as mx2.example.net") from None


def _make(directory: Path, hostname: str) -> "Made":
    from restante.config.init import AlreadyThere, initialize  # noqa: PLC0415  heavy

    try:
        return initialize(directory, hostname, time.time())
    except AlreadyThere as there:
        text = f"{there}: there already, nothing was changed; choose another --dir, or remove what is there"
        raise Failure(Exit.CANNOT_CREATE, text) from None
    except OSError as error:
        text = f"{error.filename or directory}: {error.strerror}; choose a --dir that you may write to"
        raise Failure(Exit.CANNOT_CREATE, text) from None


async def _make_store(made: "Made") -> None:
    from restante.cli.local_office import open_store  # noqa: PLC0415  heavy
    from restante.config.load import load  # noqa: PLC0415

    store = await open_store(load(made.config, {}))
    await store.close()
