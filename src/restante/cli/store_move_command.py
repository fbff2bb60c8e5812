"""`restante store move`: everything into a store of another kind, with no server running."""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from restante.cli.api_client import read_config
from restante.cli.display import human_size, say, show_json
from restante.cli.failures import Exit, Failure, warn
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.progress import phases
from restante.cli.store_place import check_store_is_there
from restante.mail.quantity import counted
from restante.store.store_errors import (
    CareUnsupported,
    MoveDiffers,
    NotEmpty,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMismatched,
    StoreMisplaced,
    StoreUnusable,
)
from restante.store.store_url import StoreKind, StoreUrlUnusable, parse_store_url
from restante.tenancy.principal import COMMAND_LINE

if TYPE_CHECKING:
    from restante.admin.store_move import MoveView, UndoView
    from restante.config.schema import Config
    from restante.store.database_access import DatabaseAccess
    from restante.tenancy.principal import Principal

_AGAIN: Final = "run the same command again to go on"
_NAMED: Final = 20  # damaged messages in a warning


def move(
    *,
    source: Annotated[str, typer.Option("--from", metavar="URL", help="The store to move out of.")],
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="URL", help="The store to move into: new or empty."),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help="Give a move up: let servers use the store of --from again, and empty that of"
            " --to.",
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Move everything from one store into another, such as from SQLite to PostgreSQL.

    No server may be running on either. All is compared after it was copied. If the command is
    interrupted, run it again. The old store stays as it is, but no server starts on it any more.
    """
    found = read_config(config)
    target_url = _url(target, "--to") if target else ""
    if not (undo or target_url):
        raise Failure(Exit.USAGE, "--to is missing; name the store to move into")
    source_url = _url(source, "--from")
    if source_url == target_url:
        raise Failure(Exit.USAGE, f"--from and --to are the same store: {source_url}; name two")
    check_store_is_there(source_url)
    principal = _principal(found)
    if undo:
        _show_undone(_run(_undone(principal, found, source_url, target_url)), as_json=as_json)
    else:
        _show(_run(_moved(principal, found, source_url, target_url)), as_json=as_json)


def _url(text: str, option: str) -> str:
    """Return the URL of a store, its directory made absolute. Raises Failure."""
    try:
        place = parse_store_url(text)
    except StoreUrlUnusable as error:
        raise Failure(Exit.USAGE, f"{option} {error}") from None
    if place.directory is None:
        return str(place)
    return f"sqlite://{os.path.abspath(place.directory)}"  # noqa: PTH100  links stay


def _principal(config: "Config") -> "Principal":
    """Return the user who runs this command, and become the user of the server."""
    from restante.admin.admin_context import operator  # noqa: PLC0415  heavy
    from restante.config.privileges import UserUnusable, become  # noqa: PLC0415

    principal = operator(os.getuid(), COMMAND_LINE)
    try:
        become(config.user)
    except UserUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    return principal


async def _moved(
    principal: "Principal", config: "Config", source_url: str, target_url: str
) -> "MoveView":
    from restante.admin.store_move import move_store  # noqa: PLC0415  heavy
    from restante.store import choice  # noqa: PLC0415  heavy

    access = config.database_access
    async with AsyncExitStack() as opened:
        source = await choice.open_move_source(source_url, access)
        opened.push_async_callback(source.close)
        target = await choice.open_move_target(target_url, _of_target(access, source_url))
        opened.push_async_callback(target.close)
        with phases("store move", "rows") as show:
            return await move_store(principal, source, target, show)


def _of_target(access: "DatabaseAccess", source_url: str) -> "DatabaseAccess":
    """Return the access to the target: from database to database, [objects] is the source's."""
    if parse_store_url(source_url).kind is StoreKind.POSTGRESQL:
        return replace(access, objects=None)
    return access


async def _undone(
    principal: "Principal", config: "Config", source_url: str, target_url: str
) -> "UndoView":
    from restante.admin.store_move import undo_store_move  # noqa: PLC0415  heavy
    from restante.store import choice  # noqa: PLC0415  heavy

    access = config.database_access
    async with AsyncExitStack() as opened:
        source = await choice.open_move_source(source_url, access, is_read=False)
        opened.push_async_callback(source.close)
        target = None
        if target_url:
            target = await choice.open_move_target(target_url, _of_target(access, source_url))
            opened.push_async_callback(target.close)
        return await undo_store_move(principal, source, target)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run the command to its end. Raises Failure."""
    try:
        return asyncio.run(work)
    except (NotEmpty, StoreFull) as error:
        raise Failure(Exit.CANNOT_CREATE, str(error)) from None
    except (StoreDamaged, MoveDiffers) as error:
        raise Failure(Exit.DATA, str(error)) from None
    except (StoreMismatched, StoreMisplaced) as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    except CareUnsupported as error:
        raise Failure(Exit.USAGE, str(error)) from None
    except StoreUnusable as error:
        raise Failure(Exit.UNAVAILABLE, str(error)) from None
    except StoreError as error:
        raise Failure(Exit.TRY_LATER, f"{error}; {_AGAIN}") from None
    except KeyboardInterrupt:
        raise Failure(
            Exit.STOPPED, f"store move: interrupted; {_AGAIN}, or give it up with --undo"
        ) from None


def _show(view: "MoveView", *, as_json: bool) -> None:
    if as_json:
        show_json(view.model_dump())
    elif view.was_done:
        say(f"{view.source} was moved to {view.target} already; nothing was changed")
    else:
        rows = sum(view.rows.values())
        say(
            f"{view.source} is in {view.target} now: {counted(view.messages, 'message')},"
            f" {human_size(view.octets)}, {rows:,} rows, all compared, digest {view.digest[:16]}"
        )
        say(f'To use it, set store = "{view.target}" and start the server, with the same key file.')
    if view.damaged:
        names = ", ".join(view.damaged[:_NAMED])
        more = f" and {len(view.damaged) - _NAMED} more" if len(view.damaged) > _NAMED else ""
        damaged = counted(len(view.damaged), "message")
        remedy = "delete them with `restante queue delete`"
        warn([f"{damaged} cannot be read in either store: {names}{more}; {remedy}"])


def _show_undone(view: "UndoView", *, as_json: bool) -> None:
    if as_json:
        show_json(view.model_dump())
        return
    emptied = "; the other store is empty" if view.is_target_emptied else ""
    say(f"servers can use {view.source} again{emptied}")
