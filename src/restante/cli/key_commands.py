"""`restante key`: the key file, without which sealed mail and secrets are lost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restante.cli.api_client import read_config
from restante.cli.child_work import as_server_user
from restante.cli.display import say, show_json, show_record
from restante.cli.failures import Exit, Failure
from restante.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from restante.config.schema import Config
    from restante.tenancy.sealed_secrets import Vault

group = typer.Typer(name="key", help="The key file, without which held mail is lost.")


@group.command("show")
def show(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the fingerprint of the key file, and whether a copy was confirmed.

    The fingerprint names the key, and tells nothing else about it. `restante store backup` shows
    the one of the key that a backup needs.
    """
    from restante.config.key_copy import is_copy_confirmed  # noqa: PLC0415  heavy

    read = read_config(config)
    vault = _vault(read.key_file)
    facts = {
        "key_file": str(read.key_file),
        "fingerprint": vault.fingerprint,
        "seals_content": read.seal_content,
        "is_copy_confirmed": is_copy_confirmed(read.key_file),
    }
    if as_json:
        show_json(facts)
        return
    show_record(
        [
            ("key file", str(facts["key_file"])),
            ("fingerprint", vault.fingerprint),
            ("seals new mail", "yes" if read.seal_content else "no"),
            ("copy", "confirmed" if facts["is_copy_confirmed"] else "not confirmed"),
        ]
    )


@group.command("confirm-copied")
def confirm_copied(
    copy: Annotated[
        Path | None,
        typer.Argument(metavar="[COPY]", help="The copy, to be compared.", show_default=False),
    ] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Confirm that the key file was copied to another place.

    Until then, `restante status` warns. With COPY, the copy is compared first.
    """
    from restante.config.key_copy import confirm_copy  # noqa: PLC0415  heavy

    key_file = read_config(config).key_file
    vault = _vault(key_file)
    if copy is not None:
        _check_copy(copy, key_file)
    try:
        confirm_copy(key_file)
    except OSError as error:
        raise Failure(
            Exit.CANNOT_CREATE, f"{key_file}.copied: {error.strerror}; run this as root"
        ) from None
    say(f"a copy of key {vault.fingerprint} is confirmed")


@group.command("rotate")
def rotate(*, config: ConfigOption = None) -> None:
    """Make a new key, and seal under it the keys of held mail, waiting reports and stored secrets.

    No server may be running. Held mail stays as it is, so this is quick. With `seal_content`,
    reports that wait in clear are sealed too. The former key stays in the file behind the new one:
    it opens older backups. The store no longer needs it. If the command was interrupted, run it
    again.
    """
    from restante.config.key_file import add_key  # noqa: PLC0415  heavy

    read = read_config(config)
    _vault(read.key_file)
    again = partial(as_server_user, partial(_seal_again, read), "sealing again")
    again()  # nothing is changed where the store cannot be opened
    try:
        add_key(read.key_file)
    except OSError as error:
        raise Failure(
            Exit.CANNOT_CREATE, f"{read.key_file}: {error.strerror}; run this as its owner"
        ) from None
    again()
    say(f"new key {_vault(read.key_file).fingerprint}; copy {read.key_file} again, and confirm it")


async def _seal_again(config: "Config", bind: Callable[[], None]) -> None:
    """Seal all again. `bind` is called once this is the process of the server's user."""
    from restante.admin.secret_rotation import seal_secrets_again  # noqa: PLC0415  heavy
    from restante.cli.offline_admin import open_offline_admin  # noqa: PLC0415
    from restante.store.sealing.key_rotation import (  # noqa: PLC0415
        seal_keys_again,
        seal_plain_reports,
        seal_reports_again,
    )
    from restante.store.store_errors import StoreError, StoreMismatched  # noqa: PLC0415

    async with open_offline_admin(config, needs_no_server=True) as context:
        bind()
        others = [node.name for node in await context.store.nodes.nodes() if not node.is_own]
        if others:
            raise Failure(
                Exit.UNAVAILABLE,
                f"other servers have this store: {', '.join(others)}; stop them first",
            )
        try:
            await seal_keys_again(context.store.keys, context.vault)
            await seal_reports_again(context.store.reports, context.vault)
            if config.seal_content:
                await seal_plain_reports(context.store.reports, context.vault)
            await seal_secrets_again(context)
        except StoreMismatched as error:
            raise Failure(Exit.CONFIGURATION, str(error)) from None
        except StoreError as error:
            raise Failure(Exit.UNAVAILABLE, str(error)) from None


def _vault(key_file: Path) -> "Vault":
    from restante.tenancy.sealed_secrets import Vault  # noqa: PLC0415  heavy

    return Vault(_keys(key_file))


def _check_copy(copy: Path, key_file: Path) -> None:
    try:
        is_itself = copy.samefile(key_file)
    except OSError as error:
        raise Failure(Exit.NO_INPUT, f"{copy}: {error.strerror}; name the copy") from None
    if is_itself:
        raise Failure(Exit.DATA, f"{copy}: is the key file itself; name its copy")
    if _keys(copy) != _keys(key_file):
        raise Failure(Exit.DATA, f"{copy}: is not a copy of {key_file}; copy it again")


def _keys(key_file: Path) -> bytes:
    from restante.config.key_file import KeyUnusable, read_key  # noqa: PLC0415  heavy

    try:
        return read_key(key_file)
    except KeyUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
