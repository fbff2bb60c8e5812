"""The answers of a setup, kept beside the configuration: a killed run goes on with them.

The file has no secret. It is written whole before anything else is made, and again when all is
done.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from restante.cli.failures import Exit, Failure
from restante.cli.setup_answers import CORRECTABLE, QUESTIONS, Answers
from restante.config.foreign_files import why_foreign
from restante.config.key_file import sync_directory

RECORD_NAME: Final = "setup.json"
_OURS: Final = frozenset({RECORD_NAME, "tls", "data", "lost+found"})
_CERTIFICATES: Final = frozenset({".pem", ".crt", ".cer", ".key"})


@dataclass(frozen=True, slots=True)
class SetupRecord:
    """A setup that was begun, and perhaps finished."""

    answers: Answers
    is_finished: bool


def refuse_foreign_directory(directory: Path) -> None:
    """Raise Failure for a directory where another user can change files.

    That user could choose the answers of a setup by root, and replace its files by links.
    """
    resolved = directory.resolve()
    for place in dict.fromkeys((directory, resolved, *directory.parents, *resolved.parents)):
        try:
            status = place.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_above = place not in (directory, resolved)
        if cause := why_foreign(status, os.geteuid(), is_above=is_above):
            remedy = "choose another --dir, such as one that is not there yet"
            if is_above:
                remedy = "choose a --dir in a directory that is yours"
            raise Failure(
                Exit.CANNOT_CREATE, f"{place}: {cause}, who could replace the keys; {remedy}"
            )


def refuse_used_directory(directory: Path) -> None:
    """Raise Failure for a directory of something else, such as /: ours has our files alone.

    Certificates may be there before.
    """
    try:
        found = sorted(path.name for path in directory.iterdir() if not _is_ours(path))
    except (FileNotFoundError, NotADirectoryError):
        return
    if found:
        cause = f"has other files than those of Restante, such as {found[0]}"
        remedy = "choose another --dir, such as one that is not there yet"
        raise Failure(Exit.CANNOT_CREATE, f"{directory}: {cause}; {remedy}")


def _is_ours(path: Path) -> bool:
    return path.name in _OURS or path.name.startswith("restante.") or path.suffix in _CERTIFICATES


def read_record(directory: Path) -> SetupRecord | None:
    """Return the setup that was begun in a directory, or None. Raises Failure."""
    file = directory / RECORD_NAME
    try:
        content = json.loads(file.read_text("utf-8"))
        answers = {str(name): str(text) for name, text in content["answers"].items()}
        return SetupRecord(answers, bool(content["finished"]))
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        remedy = "remove it, and set up in another directory"
        raise Failure(Exit.DATA, f"{file}: is not the record of a setup; {remedy}") from None


def write_record(directory: Path, record: SetupRecord) -> None:
    """Keep the answers, durably. Raises OSError."""
    file = directory / RECORD_NAME
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)  # of a run that was killed; a link is never followed
    content = {"finished": record.is_finished, "answers": dict(record.answers)}
    with draft.open("x", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.chmod(0o644)
    draft.replace(file)
    sync_directory(directory)


def refuse_other_answers(directory: Path, record: SetupRecord, given: Answers) -> None:
    """Raise Failure for options that differ from the earlier answers."""
    texts = [
        f"--{name.replace('_', '-')}: the setup in {directory} was begun with"
        f" {record.answers.get(name) or 'none'}; leave it out, and change the setting afterwards"
        for name, text in given.items()
        if record.is_finished or name not in CORRECTABLE
        if record.answers.get(name, "") != _canonical(name, text, record.answers)
    ]
    if texts:
        raise Failure(Exit.CANNOT_CREATE, *texts)


def _canonical(name: str, text: str, answers: Answers) -> str:
    [question] = [one for one in QUESTIONS if one.name == name]
    try:
        return question.checked(text, answers)
    except (ValueError, KeyError):  # the file of a certificate may be gone by now
        return text


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keep other setups of a directory out. The lock ends with the process. Raises Failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Failure(
            Exit.TRY_LATER, f"{directory}: another setup works there; wait until it has ended"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
