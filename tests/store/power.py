"""A disk that forgets unsynced data: all changes of a store's files are recorded and replayed.

Two layers are recorded, in one order: SQLite's files through a VFS, content files through the
functions of `os` that the store uses. A power cut is made from that record, as a disk may leave it:

- data written to a file before a sync of that file began is there;
- data written later is there or not, whole or by sectors of 512 octets, in any order; the other
  octets are unchanged or zeros;
- a file's name is there once its directory was synced. SQLite does that at the first sync of a new
  log. Names that were given or removed later are so or not, each by itself.

Directories are assumed to be there: they are made before anything is acknowledged. The index of the
log (-shm) is left out, because SQLite makes it again.
"""

# It stands in for functions of os, and takes their paths.
# ruff: noqa: PTH110, PTH112, PTH120

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

SECTOR = 512
_NUMBERS = count()


@dataclass
class _Content:
    """One file's octets: those surely on disk, and those on their way there."""

    certain: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, int, bytes | None]] = field(
        default_factory=list
    )  # when, offset, octets; None: cut there

    def sync(self, began: int) -> None:
        for when, offset, octets in self.pending:
            if when < began:
                _put(self.certain, offset, octets)
        self.pending = [one for one in self.pending if one[0] >= began]

    def after_cut(self, dice: random.Random, kept: float) -> bytes:
        """Return the file after a cut; `kept` is the share of pending octets that got there."""
        left = bytearray(self.certain)
        for _, offset, octets in dice.sample(self.pending, len(self.pending)):
            if dice.random() < kept:
                _put(left, offset, octets)
            elif octets is not None and dice.random() < kept:
                _put_some_sectors(left, offset, octets, dice)
        return bytes(left)


def _put(target: bytearray, offset: int, octets: bytes | None) -> None:
    if octets is None:
        del target[offset:]
        return
    if len(target) < offset:
        target.extend(bytes(offset - len(target)))
    target[offset : offset + len(octets)] = octets


def _put_some_sectors(target: bytearray, offset: int, octets: bytes, dice: random.Random) -> None:
    for start in range(0, len(octets), SECTOR):
        if dice.random() < 0.5:
            _put(target, offset + start, octets[start : start + SECTOR])


class Tape:
    """The recorded steps, in order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._steps: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._steps)

    def note(self, verb: str, *facts: Any) -> None:
        """Write a step down."""
        with self._lock:
            self._steps.append((verb, *facts))

    def concerns(self, path: object) -> bool:
        """Tell whether a path is in the store."""
        return isinstance(path, str | Path) and str(path).startswith(str(self.directory))

    def acknowledged(self, cut: int) -> list[tuple[Any, ...]]:
        """Return what the test itself wrote down before a cut."""
        return [step[1:] for step in self._steps[:cut] if step[0] == "acknowledged"]

    def leave(self, cut: int, dice: random.Random, kept: float, target: Path) -> None:
        """Make at `target` what a cut of the power after so many steps leaves."""
        world = _World()
        for when, (verb, *facts) in enumerate(self._steps[:cut]):
            world.step(when, verb, facts)
        for shard in "0123456789abcdef":
            (target / "content" / shard).mkdir(parents=True)
        for path, octets in world.after_cut(dice, kept):
            (target / Path(path).relative_to(self.directory)).write_bytes(octets)


class _World:
    """Files and names, as the steps have made them."""

    def __init__(self) -> None:
        self._now: dict[str, _Content] = {}  # by path: contents as a running system sees them
        self._certain: dict[str, _Content] = {}  # the names that a disk has for certain
        self._pending: list[tuple[str, _Content | None]] = []  # names given, or taken away

    def step(self, when: int, verb: str, facts: list[Any]) -> None:
        match verb:
            case "create":
                self._name(facts[0], _Content())
            case "write":
                self._now[facts[0]].pending.append((when, facts[1], facts[2]))
            case "truncate":
                self._now[facts[0]].pending.append((when, facts[1], None))
            case "sync":
                if facts[0] in self._now:  # it may be gone while it was being synced
                    self._now[facts[0]].sync(facts[1])
            case "sync-names":
                self._sync_names(facts[0])
            case "link":
                self._name(facts[1], self._now[facts[0]])
            case "unlink":
                self._name(facts[0], None)

    def _name(self, path: str, content: _Content | None) -> None:
        self._pending.append((path, content))
        _set(self._now, path, content)

    def _sync_names(self, directory: str) -> None:
        for path, content in self._pending:
            if os.path.dirname(path) == directory:
                _set(self._certain, path, content)
        self._pending = [one for one in self._pending if os.path.dirname(one[0]) != directory]

    def after_cut(self, dice: random.Random, kept: float) -> Iterator[tuple[str, bytes]]:
        names = dict(self._certain)
        for path, content in self._pending:
            if dice.random() < kept:
                _set(names, path, content)
        for path, content in names.items():
            yield path, content.after_cut(dice, kept)


def _set(names: dict[str, _Content], path: str, content: _Content | None) -> None:
    if content is None:
        names.pop(path, None)
    else:
        names[path] = content


# --- SQLite's files


class RecordedDisk(apsw.VFS):
    """Passes everything on, and writes it down."""

    def __init__(self, tape: Tape) -> None:
        self.name = f"recorded-{next(_NUMBERS)}"
        self.tape = tape
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  its name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        is_new = not Path(path).exists()
        file = _RecordedFile(self.tape, path, name, flags)
        if is_new:
            self.tape.note("create", path)
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.tape.note("unlink", filename)


class _RecordedFile(apsw.VFSFile):
    def __init__(self, tape: Tape, path: str, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._tape = tape
        self._path = path
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._tape.note("write", self._path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._tape.note("truncate", self._path, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        began = len(self._tape)
        super().xSync(flags)
        self._tape.note("sync", self._path, began)
        if self._is_log:  # the system's VFS has synced the directory of a log that it made
            self._tape.note("sync-names", os.path.dirname(self._path))


# --- content files


@contextmanager
def recorded_system(tape: Tape) -> Iterator[None]:
    """Write down what is done to files in the store's directory by way of `os`."""
    paths: dict[int, str] = {}
    places: dict[int, int] = {}
    real_open, real_write, real_fsync, real_close = os.open, os.write, os.fsync, os.close
    real_link, real_unlink = os.link, os.unlink

    def open_(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        is_new = bool(flags & os.O_CREAT) and not os.path.exists(path)
        number = real_open(path, flags, mode, **options)
        if tape.concerns(path):
            paths[number], places[number] = str(path), 0
            if is_new:
                tape.note("create", str(path))
        return number

    def write(number: int, data: Any) -> int:
        written = real_write(number, data)
        if number in paths:
            tape.note("write", paths[number], places[number], bytes(data[:written]))
            places[number] += written
        return written

    def fsync(number: int) -> None:
        began = len(tape)
        real_fsync(number)
        if (path := paths.get(number)) is not None:
            tape.note("sync-names", path) if os.path.isdir(path) else tape.note("sync", path, began)

    def close(number: int) -> None:
        paths.pop(number, None)
        real_close(number)

    def link(source: Any, target: Any, **options: Any) -> None:
        real_link(source, target, **options)
        tape.note("link", str(source), str(target))

    def unlink(path: Any, **options: Any) -> None:
        real_unlink(path, **options)
        if tape.concerns(path):
            tape.note("unlink", str(path))

    with pytest.MonkeyPatch.context() as patch:
        for name, replacement in (
            ("open", open_),
            ("write", write),
            ("fsync", fsync),
            ("close", close),
        ):
            patch.setattr(os, name, replacement)
        patch.setattr(os, "link", link)
        patch.setattr(os, "unlink", unlink)
        yield
