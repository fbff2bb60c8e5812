"""The built wheel, installed by the commands of the guide for pip, pipx and uv in a clean tree.

pip runs as root. The other two run as an account of their own, as the guide says.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from restante import __version__
from tests.documents.blocks import read_blocks
from tests.packages.clean_tree import CleanTree, clean_tree
from tools.build_dist import build
from tools.commit_time import TOP

GUIDE: Final = "docs/how-to/install.md"
PLACE: Final = "/srv/dist"
ACCOUNT: Final = "guest"
NEEDS: Final = {
    "pip": "apt-get -qq --no-install-recommends install python3-venv",
    "pipx": "apt-get -qq --no-install-recommends install pipx",
    "uv": "apt-get -qq --no-install-recommends install pipx",
}
# uv has settings of its own instead of those of pip.
UV: Final = 'no-index = true\nfind-links = ["/wheels"]\npython-downloads = "never"\n'


@dataclass(frozen=True, slots=True)
class Reader:
    """An account of a tree, which follows the guide."""

    tree: CleanTree
    account: str

    def do(self, script: str, *, cwd: str = "~") -> str:
        """Run a script in a new shell of the account, and return its output."""
        words = shlex.quote(f"set -e; cd {cwd}\n{script}")
        return self.tree.do(f"su - {self.account} -s /bin/bash -c {words}")


@pytest.fixture(scope="module", params=NEEDS)
def reader(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """An account that has installed the wheel by one of the tools."""
    tool: str = request.param
    with clean_tree(tmp_path_factory.mktemp(tool)) as tree:
        build(tree.path(PLACE))
        tree.path("/etc/uv").mkdir()
        tree.path("/etc/uv/uv.toml").write_text(UV)
        tree.do(NEEDS[tool])
        tree.do(f"useradd --create-home {ACCOUNT}")
        reader = Reader(tree, "root" if tool == "pip" else ACCOUNT)
        if tool == "uv":
            reader.do("pipx install uv")
        reader.do(commands_of_guide(tool), cwd=PLACE)
        yield reader


def commands_of_guide(tool: str) -> str:
    """Return what the guide tells to type for a tool."""
    blocks = read_blocks(TOP / GUIDE, GUIDE)
    if tool == "pip":
        [block] = [one.text for one in blocks if "--no-deps restante-" in one.text]
        return block
    [line] = [
        line
        for block in blocks
        for line in block.text.splitlines()
        if line.startswith(f"{tool} ") and " install " in line
    ]
    return line


def test_the_commands_of_the_guide_install_programs_and_files(reader: Reader) -> None:
    assert reader.do("restante version") == f"restante {__version__}\n"
    assert reader.do("restante-client --version").startswith("restante-client ")
    for name in ("restante.service", "alerts.yml", "restante.json", "restante.1", "_restante"):
        assert reader.do(f'test -f "$(restante files {name})" && echo yes') == "yes\n"


def test_the_installed_server_starts_and_can_be_asked(reader: Reader) -> None:
    said = reader.do(
        "restante init --dir made --hostname mx2.example.net\n"
        "export RESTANTE_CONFIG=$PWD/made/restante.toml\n"
        "restante serve >log 2>&1 &\n"
        "until grep -q server-ready log; do kill -0 $!; sleep 0.2; done\n"
        "restante account add acme\n"
        "restante account list --json\n"
    )
    assert '"acme"' in said
