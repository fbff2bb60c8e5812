"""The package stands alone: the standard library only, old versions of Python, tests in place."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import restante
import restante_client
from restante.phrases import NOTHING_WAITS
from restante_client.smtp_replies import etrn_words
from tests.source_tree import parse_source
from tools.build_client import _START

TOP: Final = Path(restante_client.__file__).parent
TESTS: Final = Path(__file__).parent
OLDEST: Final = (3, 8)
# Names of the standard library that came later than the oldest version.
LATER_NAMES: Final = {
    *("removeprefix", "removesuffix", "to_thread", "cache", "pairwise", "batched", "Self"),
    *("StrEnum", "UTC", "TaskGroup", "timeout_at", "ParamSpec", "TypeAlias", "is_relative_to"),
    *("with_stem", "hardlink_to", "readlink", "randbytes", "bit_count", "file_digest"),
}
LATER_ARGUMENTS: Final = {"slots", "kw_only", "strict", "delete_on_close", "encoding_errors"}


def modules() -> list[Path]:
    return sorted(TOP.rglob("*.py"))


def interpreters() -> list[str]:
    """Return every Python of this machine, the running one too."""
    homes = [Path("/usr/bin"), Path("/usr/local/bin"), *Path.home().glob(".pyenv/versions/*/bin")]
    found = {
        path.resolve()
        for home in homes
        for path in home.glob("python3.*")
        if path.name.removeprefix("python3.").isdigit() and int(path.name[8:]) >= OLDEST[1]
    }
    return [sys.executable, *map(str, sorted(found))]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_a_module_is_of_the_oldest_python(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=OLDEST)
    for node in ast.walk(tree):
        name = getattr(node, "attr", getattr(node, "id", ""))
        assert name not in LATER_NAMES, f"{path.name}: {name}"
        if isinstance(node, ast.keyword) and node.arg in LATER_ARGUMENTS:
            pytest.fail(f"{path.name}: {node.arg}=")
    if any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)):
        future = "from __future__ import annotations"
        assert path.name == "__main__.py" or future in path.read_text()


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_a_module_imports_the_standard_library_only(path: Path) -> None:
    for node in ast.walk(parse_source(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            assert top == "restante_client" or top in sys.stdlib_module_names, name


def test_each_module_has_a_test_of_its_name() -> None:
    lacking = [
        path.name
        for path in modules()
        if not path.stem.startswith("__") and not (TESTS / f"test_{path.name}").exists()
    ]
    assert lacking == []


def test_no_module_has_a_name_of_one_of_the_server() -> None:
    server = {path.stem for path in Path(restante.__file__).parent.rglob("*.py")}
    assert server & {path.stem for path in modules()} <= {"__init__", "__main__"}


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path[-40:])
def test_it_starts_under_every_python_of_this_machine(python: str) -> None:
    """Every module is imported, and the help of each verb is shown."""
    imports = "; ".join(f"import restante_client.{path.stem}" for path in modules()[2:])
    script = (
        f"{imports}\nfrom restante_client.client_main import main\n"
        "assert main(['ask', 'mx.example', 'a.example']) == 64\n"
        "main(['turn', '--help'])"
    )
    ended = subprocess.run(
        [python, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": str(TOP.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "behind CGNAT" in ended.stdout


def test_an_older_python_is_told_what_is_needed() -> None:
    for text in (*((TOP / name).read_text() for name in ("__init__.py", "__main__.py")), _START):
        tree = ast.parse(text, feature_version=(3, 4))
        assert "annotations" not in {
            one.name for one in ast.walk(tree) if isinstance(one, ast.alias)
        }
    script = (
        "import runpy, sys; sys.version_info = (3, 6, 9, 'final', 0);"
        "runpy.run_module('restante_client', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(TOP.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 69
    assert ended.stderr == "restante-client: needs Python 3.8 or later, and this is 3.6\n"


def test_it_starts_without_what_is_slow() -> None:
    """Imports of these alone take longer than all of the rest."""
    script = (
        "import sys; from restante_client.client_arguments import build_parser;"
        "import restante_client.client_main; build_parser();"
        "print(sorted({'ssl', 'socket', 'http.client', 'json', 'hashlib', 'xml', 'pathlib'}"
        " & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = [{str(TOP.parent)!r}]; {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n"


def test_both_programs_use_the_same_words() -> None:
    assert etrn_words(251) == NOTHING_WAITS
