"""The built wheel, installed by the commands of the guide for pipx and uv in a clean tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from restante import __version__
from tests.documents.blocks import read_blocks
from tests.packages.clean_tree import CleanTree, clean_tree
from tools.build_dist import build
from tools.commit_time import TOP

GUIDE: Final = "docs/how-to/install.md"
PLACE: Final = "/srv/dist"
NEEDS: Final = {
    "pipx": "apt-get -qq --no-install-recommends install pipx",
    "uv": (
        "apt-get -qq --no-install-recommends install python3-venv\n"
        "python3 -m venv /opt/uv\n"
        "/opt/uv/bin/pip install --quiet uv\n"
        "ln -s /opt/uv/bin/uv /usr/local/bin/uv"
    ),
}
# uv has settings of its own instead of those of pip.
UV: Final = 'no-index = true\nfind-links = ["/wheels"]\npython-downloads = "never"\n'


@pytest.fixture(scope="module", params=NEEDS)
def tree(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CleanTree]:
    """A tree in which the command of the guide has installed the wheel by one of the tools."""
    tool: str = request.param
    with clean_tree(tmp_path_factory.mktemp(tool)) as tree:
        build(tree.path(PLACE))
        tree.path("/etc/uv").mkdir()
        tree.path("/etc/uv/uv.toml").write_text(UV)
        tree.do(NEEDS[tool])
        tree.do(command_of_guide(tool), cwd=PLACE)
        yield tree.with_path("/root/.local/bin")


def command_of_guide(tool: str) -> str:
    """Return the line of the guide that installs the wheel with a tool."""
    lines = [line for block in read_blocks(TOP / GUIDE, GUIDE) for line in block.text.splitlines()]
    [line] = [line for line in lines if line.startswith(f"{tool} ") and " install " in line]
    return line


def test_the_command_of_the_guide_installs_programs_and_files(tree: CleanTree) -> None:
    assert tree.do("restante version") == f"restante {__version__}\n"
    assert tree.do("restante-client --version").startswith("restante-client ")
    for name in ("restante.service", "alerts.yml", "restante.json", "restante.1", "_restante"):
        assert tree.do(f'test -f "$(restante files {name})" && echo yes') == "yes\n"


def test_the_installed_server_starts_and_can_be_asked(tree: CleanTree) -> None:
    said = tree.do(
        "export RESTANTE_CONFIG=/root/made/restante.toml\n"
        "restante init --dir /root/made --hostname mx2.example.net\n"
        "restante serve >log 2>&1 &\n"
        "until grep -q server-ready log; do kill -0 $!; sleep 0.2; done\n"
        "restante account add acme\n"
        "restante account list --json\n"
    )
    assert '"acme"' in said
