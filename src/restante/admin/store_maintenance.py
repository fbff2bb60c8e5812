"""Maintenance of the store: a copy of it while it serves, and the results of a full check."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.long_work import beside_mail
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import PathText
from restante.mail.message import message_name
from restante.phrases import cause_of
from restante.store.backup_note import NOTE, note_text, write_note
from restante.store.sealing.key_check import KEY_FINDING, check_key
from restante.store.store_care import PlannedCopy, StoreCare, StoreReport
from restante.store.store_errors import StoreError
from restante.tenancy.principal import Principal
from restante.tenancy.sealed_secrets import Vault


class BackupOrder(BaseModel):
    """The target of a copy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: PathText


class BackupView(BaseModel):
    """The contents of a copy."""

    directory: PathText
    messages: int
    octets: int
    files: int
    key_fingerprint: str  # of the key file, without which its secrets and sealed mail are lost


class FindingView(BaseModel):
    """One fault that was found."""

    kind: str
    message: str | None  # its name
    text: str


class CheckView(BaseModel):
    """The results of a full check of the store."""

    is_sound: bool
    engine: str
    schema_version: int
    schema_known: int
    is_in_use: bool
    messages: int
    octets: int
    contents_read: int
    orphans: list[str]
    key_fingerprint: str | None  # of the key file that was tried; None if that was not possible
    findings: list[FindingView]
    is_key_alone_wrong: bool  # the store is whole, and needs another key file


class SalvageView(BaseModel):
    """The rescued part of a damaged store; `lost` names missing and recreated parts."""

    is_whole: bool
    directory: PathText
    schema_before: int
    schema_now: int
    messages: int
    octets: int
    files: int
    rows: dict[str, int]
    lost: list[FindingView]


class UpgradeView(BaseModel):
    """The versions of the tables before and after an upgrade."""

    schema_before: int
    schema_now: int


class PlannedStepView(BaseModel):
    """One step of an upgrade."""

    schema_after: int
    text: str


class PlannedCopyView(BaseModel):
    """The copy of the store that an upgrade makes first."""

    directory: PathText
    octets: int
    octets_free: int
    has_room: bool
    is_made: bool = False  # by an upgrade that was ended half-way; this one goes on
    replaces: list[PathText] = []  # directories of copies that are removed


class UpgradePlanView(BaseModel):
    """The steps of an upgrade. `messages` and `octets` are of held mail."""

    schema_before: int
    schema_now: int
    steps: list[PlannedStepView]
    messages: int
    octets: int
    copy_before: PlannedCopyView | None


async def backup(context: AdminContext, order: BackupOrder) -> BackupView:
    """Copy the store to an absolute directory that is empty or missing.

    Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.STORE_BACKUP)
    directory = Path(order.directory)
    if not directory.is_absolute():
        raise AdminError(
            ErrorKind.INVALID, f"{directory}: is not an absolute path", "give the whole path"
        )
    made = await context.store.upkeep.backup(directory)
    note = note_text(context.vault.fingerprint, context.now())
    try:
        await beside_mail(write_note, directory, note)
    except OSError as error:
        raise StoreError(f"{directory}/{NOTE}: {cause_of(error)}") from error
    return BackupView(
        directory=order.directory,
        messages=made.messages,
        octets=made.octets,
        files=made.files,
        key_fingerprint=context.vault.fingerprint,
    )


@dataclass(frozen=True, slots=True)
class KeyToTry:
    """The keys of the key file, and its name for people."""

    vault: Vault
    key_file: str


def check_store(
    principal: Principal,
    care: StoreCare,
    on_progress: Callable[[int, int], None],
    key: KeyToTry | None,
) -> CheckView:
    """Check everything in a store, and whether a key file is its own, if `key` is given.

    Works with or without a server. Blocks. Raises CareUnsupported.
    """
    permit(principal, AdminAction.STORE_CHECK)
    report = care.check(on_progress)
    if key is None or report.sealed is None:
        return _view(report, None)
    report.findings += check_key(report.sealed, key.vault, key_file=key.key_file)
    return _view(report, key.vault.fingerprint)


def upgrade_store(principal: Principal, care: StoreCare) -> UpgradeView:
    """Bring the tables of a store to this program's version, with or without servers.

    Blocks. Raises CareUnsupported, StoreUnusable.
    """
    permit(principal, AdminAction.STORE_UPGRADE)
    change = care.upgrade()
    return UpgradeView(schema_before=change.before, schema_now=change.after)


def plan_store_upgrade(principal: Principal, care: StoreCare) -> UpgradePlanView:
    """Say what an upgrade of a store would do. Nothing is changed.

    Blocks. Raises CareUnsupported, StoreUnusable.
    """
    permit(principal, AdminAction.STORE_UPGRADE)
    plan = care.plan_upgrade()
    return UpgradePlanView(
        schema_before=plan.before,
        schema_now=plan.after,
        steps=[PlannedStepView(schema_after=one.schema, text=one.text) for one in plan.steps],
        messages=plan.messages,
        octets=plan.octets,
        copy_before=_copy_view(plan.copy) if plan.copy else None,
    )


def _copy_view(copy: PlannedCopy) -> PlannedCopyView:
    return PlannedCopyView(
        directory=copy.directory,
        octets=copy.octets,
        octets_free=copy.octets_free,
        has_room=copy.is_made or copy.octets <= copy.octets_free,
        is_made=copy.is_made,
        replaces=list(copy.replaces),
    )


def salvage_store(
    principal: Principal, care: StoreCare, target: Path, on_progress: Callable[[int], None]
) -> SalvageView:
    """Write the readable parts of a store into a new one.

    Blocks. Raises StoreError, StoreUnusable, CareUnsupported.
    """
    permit(principal, AdminAction.STORE_SALVAGE)
    report = care.salvage(target, on_progress)
    before, now = report.schema
    return SalvageView(
        is_whole=report.is_whole,
        directory=str(target),
        schema_before=before,
        schema_now=now,
        messages=report.messages,
        octets=report.octets,
        files=report.files,
        rows=report.rows,
        lost=[
            FindingView(kind=one.kind, message=_name(one.number), text=one.text)
            for one in report.lost
        ],
    )


def _view(report: StoreReport, key_fingerprint: str | None) -> CheckView:
    findings = [
        FindingView(kind=one.kind, message=_name(one.number), text=one.text)
        for one in report.findings
    ]
    return CheckView(
        is_sound=report.is_sound,
        engine=report.engine,
        schema_version=report.schema,
        schema_known=report.schema_known,
        is_in_use=report.is_in_use,
        messages=report.messages,
        octets=report.octets,
        contents_read=report.contents_read,
        orphans=report.orphans,
        key_fingerprint=key_fingerprint,
        findings=findings,
        is_key_alone_wrong=bool(findings) and all(one.kind == KEY_FINDING for one in findings),
    )


def _name(number: int | None) -> str | None:
    return None if number is None else message_name(number)
