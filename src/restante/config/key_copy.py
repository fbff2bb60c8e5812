"""Whether somebody has confirmed that the key file was copied.

Without it, sealed mail is lost. The confirmation is a file beside it with the key's fingerprint. So
it ends with a rotation, and the copy of an installation has it.
"""

from collections.abc import Iterator
from pathlib import Path

from restante.config.key_file import KeyUnusable, read_key, sync_directory
from restante.config.schema import Config
from restante.tenancy.sealed_secrets import Vault

_PUBLIC = 0o644


def is_copy_confirmed(key_file: Path) -> bool:
    """Tell whether a copy of the present key was confirmed.

    A process that may not read the key believes any confirmation.
    """
    try:
        confirmed = _note(key_file).read_text("ascii").strip()
    except (OSError, ValueError):
        return False
    try:
        return confirmed == Vault(read_key(key_file)).fingerprint
    except KeyUnusable:
        return bool(confirmed)


def confirm_copy(key_file: Path) -> None:
    """Note that the present key was copied. Raises KeyUnusable, OSError."""
    note = _note(key_file)
    fingerprint = Vault(read_key(key_file)).fingerprint
    draft = note.with_name(f"{note.name}.new")
    draft.unlink(missing_ok=True)  # of a run that was killed; a link is never followed
    with draft.open("x", encoding="ascii") as stream:
        stream.write(f"{fingerprint}\n")
    draft.chmod(_PUBLIC)
    draft.replace(note)
    sync_directory(note.parent)


def copy_warnings(config: Config) -> Iterator[str]:
    """Warn of a key file whose loss would be the loss of mail. Blocks."""
    if config.seal_content and not is_copy_confirmed(config.key_file):
        yield (
            f"{config.key_file}: no copy of it was confirmed, and held mail is lost without it;"
            " copy it to another place, then run `restante key confirm-copied`"
        )


def _note(key_file: Path) -> Path:
    return key_file.with_name(f"{key_file.name}.copied")
