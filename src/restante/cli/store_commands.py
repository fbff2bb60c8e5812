"""`restante store`: the store as a whole, checked and copied."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restante.cli.api_client import ask, read_config
from restante.cli.display import human_size, say, show_json, show_record
from restante.cli.failures import Exit, Failure, complain, warn
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.progress import late
from restante.cli.store_place import check_store_is_there
from restante.cli.times import span
from restante.mail.quantity import counted
from restante.store.store_errors import (
    CareUnsupported,
    StoreError,
    StoreMismatched,
    StoreUnusable,
)
from restante.tenancy.principal import COMMAND_LINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from restante.admin.store_maintenance import (
        CheckView,
        FindingView,
        KeyToTry,
        PlannedCopyView,
        SalvageView,
        UpgradePlanView,
        UpgradeView,
    )
    from restante.config.schema import Config
    from restante.store.store_care import StoreCare
    from restante.tenancy.principal import Principal

group = typer.Typer(name="store", help="Check, back up, salvage or move the whole store.")

_NOT_DAMAGE = ("key", "schema")  # findings about the key file or the program
_BACKUP_SECONDS = 24 * 3600.0
_PROGRESS_SECONDS = 5.0
_FAST, _SLOW = 500_000_000, 20_000_000  # octets a second that disks take
_WRITTEN = 3  # times the size of the database: the copy, then tables and their indexes
_MINUTE = 60
_SHORT = "less than a minute"
_STEPS_TIME = "not known; servers go on, also while an index of all mail is built"


@group.command("check")
def check(*, as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Read the whole store, compare it with its checksums, and try the key file.

    Nothing is changed, and a server may be running. The exit code is 65 if data is damaged. It is
    78 if the store is whole, but the key file is not its own, or a newer Restante has upgraded it.
    Without a key file, the rest is checked.
    """
    from restante.admin import store_maintenance  # noqa: PLC0415  heavy

    read = read_config(config)
    key = _key_to_try(read.key_file)  # before this becomes the server's user
    try:
        view = store_maintenance.check_store(_principal(), _care(read), _Progress().show, key)
    except CareUnsupported as error:
        raise Failure(Exit.UNAVAILABLE, str(error)) from None
    if as_json:
        show_json(view.model_dump())
    else:
        _show(view)
    if view.findings and all(one.kind in _NOT_DAMAGE for one in view.findings):
        return Exit.CONFIGURATION
    return Exit.DONE if view.is_sound else Exit.DATA


@group.command("backup")
def backup(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory for the copy, empty or new.")
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy the store of a running server: records, audit trail and mail as of one moment.

    The server writes the copy, so its user must be allowed to write to DIR. The copy includes keys
    and certificates by ACME. It does not include the key file and the configuration. It is useless
    without the key file, whose fingerprint is shown.
    """
    body = {"directory": os.path.abspath(directory)}  # noqa: PTH100  the server follows links in it
    done = ask(config, "POST", "/v1/store/backup", body=body, seconds=_BACKUP_SECONDS)
    if as_json:
        show_json(done)
    else:
        say(
            f"{done['directory']}: {counted(done['messages'], 'message')},"
            f" {human_size(done['octets'])}; key {done['key_fingerprint']}"
        )


@group.command("salvage")
def salvage(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Directory for the new store, empty or new."),
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Copy the readable part of a damaged store into a new one, and list the rest.

    No server may be running. The damaged store is not changed. The exit code is 65 if some data
    could not be salvaged.
    """
    from restante.admin import store_maintenance  # noqa: PLC0415  heavy

    try:
        view = store_maintenance.salvage_store(
            _principal(), _care(read_config(config)), directory, _Progress().show_salvaged
        )
    except StoreMismatched as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    except (StoreUnusable, CareUnsupported) as error:
        raise Failure(Exit.UNAVAILABLE, str(error)) from None
    except StoreError as error:
        raise Failure(Exit.CANNOT_CREATE, str(error)) from None
    if as_json:
        show_json(view.model_dump())
    else:
        _show_salvaged(view)
    return Exit.DONE if view.is_whole else Exit.DATA


def _principal() -> "Principal":
    """Return the user who runs this command."""
    from restante.admin.admin_context import operator  # noqa: PLC0415  heavy

    return operator(os.getuid(), COMMAND_LINE)


@group.command("upgrade")
def upgrade(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what an upgrade would do, and change nothing.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Bring the tables of a store on PostgreSQL to this version of Restante.

    Servers of the former version may be running. A store on SQLite needs no command: the start of
    its server upgrades it, after a copy. `--dry-run` is for both: it lists the steps, and says how
    much room a copy needs. The exit code is 69 if there is not enough.
    """
    from restante.admin import store_maintenance  # noqa: PLC0415  heavy

    principal, care = _principal(), _care(read_config(config))
    try:
        if dry_run:
            plan = store_maintenance.plan_store_upgrade(principal, care)
        else:
            with late("upgrading the store"):
                view = store_maintenance.upgrade_store(principal, care)
    except StoreMismatched as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    except (StoreUnusable, CareUnsupported) as error:
        raise Failure(Exit.UNAVAILABLE, str(error)) from None
    if dry_run:
        return _show_plan(plan, as_json=as_json)
    _show_upgraded(view, as_json=as_json)
    return Exit.DONE


def _show_upgraded(view: "UpgradeView", *, as_json: bool) -> None:
    if as_json:
        show_json(view.model_dump())
    elif view.schema_before == view.schema_now:
        say(f"the store has schema {view.schema_now} already; nothing was changed")
    else:
        say(f"the store has schema {view.schema_now} now; it had {view.schema_before}")


def _show_plan(plan: "UpgradePlanView", *, as_json: bool) -> int:
    copy = plan.copy_before
    if as_json:
        show_json(plan.model_dump())
    elif not plan.steps:
        say(f"the store has schema {plan.schema_now} already; an upgrade changes nothing")
    else:
        say(f"the store has schema {plan.schema_before}; an upgrade would bring {plan.schema_now}:")
        for step in plan.steps:
            say(f"  {step.schema_after:3}  {step.text}")
        show_record(
            [
                ("held mail", f"{counted(plan.messages, 'message')}, {human_size(plan.octets)}"),
                *(_copy(copy) if copy else [("copy before", "none; back PostgreSQL up first")]),
                ("time", _time(copy) if copy else _STEPS_TIME),
            ]
        )
        say("nothing was changed")
    return Exit.UNAVAILABLE if copy and not copy.has_room else Exit.DONE


def _time(copy: "PlannedCopyView") -> str:
    """Return how long an upgrade takes about, on a fast disk and on a slow one."""
    least, most = (_WRITTEN * copy.octets / rate for rate in (_FAST, _SLOW))
    long = f"about {span(least)} to {span(most)}, by the disk" if most >= _MINUTE else _SHORT
    return f"{long}; no mail is accepted meanwhile"


def _copy(copy: "PlannedCopyView") -> list[tuple[str, str]]:
    made = f"{copy.directory}, made by an upgrade that was ended half-way; this one goes on"
    return [
        ("copy before", made if copy.is_made else copy.directory),
        *(("removed", f"{one}, of an earlier upgrade") for one in copy.replaces),
        *([] if copy.is_made else [("room", _room(copy))]),
    ]


def _room(copy: "PlannedCopyView") -> str:
    verdict = "" if copy.has_room else ": too little, the server would not start"
    return f"{human_size(copy.octets)} needed, {human_size(copy.octets_free)} free{verdict}"


def _key_to_try(key_file: Path) -> "KeyToTry | None":
    """Return the keys of the key file; warn if there are none that can be read."""
    from restante.admin.store_maintenance import KeyToTry  # noqa: PLC0415  heavy
    from restante.config.key_file import KeyUnusable, read_key  # noqa: PLC0415
    from restante.tenancy.sealed_secrets import Vault  # noqa: PLC0415

    try:
        return KeyToTry(Vault(read_key(key_file)), str(key_file))
    except KeyUnusable as error:
        warn([f"the key file was not tried: {error}"])
        return None


def _care(config: "Config") -> "StoreCare":
    """Return the care of a store that is there, as its user. Raises Failure."""
    from restante.config.privileges import UserUnusable, become  # noqa: PLC0415
    from restante.store.choice import store_care  # noqa: PLC0415  heavy

    check_store_is_there(config.store)
    try:
        become(config.user)  # reading creates the WAL index, which the server must be able to open
    except UserUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    try:
        return store_care(config.store, config.database_access)
    except StoreMismatched as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None


class _Progress:
    """Show progress on a terminal every few seconds."""

    def __init__(self) -> None:
        self._next_at = time.monotonic() + _PROGRESS_SECONDS

    def show(self, done: int, of: int) -> None:
        """Show the progress if it is time."""
        if sys.stderr.isatty() and time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _PROGRESS_SECONDS
            complain(f"store check: {done} of {counted(of, 'message')}")

    def show_salvaged(self, done: int) -> None:
        """Show the number of salvaged messages if it is time."""
        if sys.stderr.isatty() and time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _PROGRESS_SECONDS
            complain(f"store salvage: {counted(done, 'message')} so far")


def _show(view: "CheckView") -> None:
    orphans = f"{len(view.orphans)}"
    show_record(
        [
            ("engine", view.engine),
            ("schema", f"{view.schema_version} (this program knows {view.schema_known})"),
            ("server", "has it open" if view.is_in_use else "none has it open"),
            ("messages", f"{view.messages}, {human_size(view.octets)}; {view.contents_read} read"),
            (
                "files without a row",
                orphans if view.is_in_use else f"{orphans}, swept at the next start",
            ),
            ("key file", view.key_fingerprint or "not tried"),
            ("findings", len(view.findings) or "none: it is sound"),
        ]
    )
    _say_findings(view.findings)


def _show_salvaged(view: "SalvageView") -> None:
    records = ", ".join(f"{count} in {table}" for table, count in sorted(view.rows.items()))
    show_record(
        [
            ("new store", view.directory),
            ("schema", f"{view.schema_now} (the damaged store has {view.schema_before})"),
            ("messages", f"{view.messages}, {human_size(view.octets)}"),
            ("content files", view.files),
            ("other rows", records or "none"),
            ("not salvaged", len(view.lost) or "nothing: it is whole"),
        ]
    )
    _say_findings(view.lost)


def _say_findings(findings: "Sequence[FindingView]") -> None:
    for finding in findings:
        about = f"{finding.kind}, message {finding.message}" if finding.message else finding.kind
        say(f"{about}: {finding.text}")
