import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import restante
from restante.network.late_module import ProgramReplaced
from restante.server.program_files import ProgramFiles, installed_files

NAME = "restante_late_example"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with a module, which no test has imported. Afterwards none has it either."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"{NAME}.py").write_text("VALUE = 1\n")
    yield tmp_path
    sys.modules.pop(NAME, None)


def replace_file(file: Path, text: str) -> None:
    """Replace a file as installers do: by another one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def test_a_module_of_the_same_files_is_loaded(place: Path) -> None:
    ProgramFiles([place / f"{NAME}.py"]).load(NAME)
    assert sys.modules[NAME].VALUE == 1


def test_a_module_is_not_loaded_once_a_file_was_replaced(place: Path) -> None:
    other = place / "other.py"
    other.write_text("old")
    program = ProgramFiles([place / f"{NAME}.py", other])
    replace_file(other, "new")
    with pytest.raises(ProgramReplaced, match="was upgraded since this server started; restart"):
        program.load(NAME)
    assert NAME not in sys.modules


def test_a_file_that_is_gone_was_replaced_too(place: Path) -> None:
    program = ProgramFiles([place / f"{NAME}.py"])
    (place / f"{NAME}.py").unlink()
    with pytest.raises(ProgramReplaced):
        program.load(NAME)


def test_files_replaced_while_a_module_is_loaded_make_it_useless_for_good(place: Path) -> None:
    other = place / "other.py"
    other.write_text("old")
    program = ProgramFiles([other])
    (place / f"{NAME}.py").write_text(f"import os; os.replace({str(other)!r}, '{other}.gone')\n")
    for _ in range(2):
        with pytest.raises(ProgramReplaced):
            program.load(NAME)


def test_loaded_code_is_used_whatever_happens_to_its_file(place: Path) -> None:
    program = ProgramFiles([place / f"{NAME}.py"])
    program.load(NAME)
    (place / f"{NAME}.py").unlink()
    program.load(NAME)


def test_the_program_and_its_libraries_are_among_the_files() -> None:
    files = list(installed_files())
    assert Path(restante.__file__) in files
    assert Path(restante.__file__).parent / "web" / "portal" / "portal_application.py" in files
    assert any(file.parent.name.startswith("fastapi-") for file in files)
