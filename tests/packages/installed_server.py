"""A server installed from the wheel and its lock file, and the walks through it."""

from __future__ import annotations

from typing import Final

from restante import __version__
from tests.packages.checkout_copy import PLACE as COPY
from tests.packages.clean_tree import CleanTree
from tools.build_dist import build

DIST: Final = "/srv/dist"
# A deprecation of Python is an error in the server and in its commands. The scripts
# that call them, and their primary, ignore it.
STRICT: Final = "export PYTHONWARNINGS=error::DeprecationWarning"


def install_server(tree: CleanTree, program: str = "python3", options: str = "") -> CleanTree:
    """Install as the guide says, with a Python of the tree, and return the tree with its PATH.

    `options` are those of pip for the primary of the walks.
    """
    build(tree.path(DIST))
    tree.do(
        f"{program} -m venv /opt/restante\n"
        "/opt/restante/bin/pip install --quiet --require-hashes -r requirements.lock\n"
        "/opt/restante/bin/pip install --quiet --no-deps ./restante-*.whl\n"
        f"/opt/restante/bin/pip install --quiet {options} aiosmtpd",
        cwd=DIST,
    )
    return tree.with_path("/opt/restante/bin")


def walk(tree: CleanTree) -> None:
    """Hold mail and hand it over, by a release and by ETRN."""
    assert tree.do(f"{STRICT}\nrestante version") == f"restante {__version__}\n"
    tree.do(f"{STRICT}\npython -W ignore {COPY}/demo/smoke_walk.py")
    tree.do(f"{STRICT}\npython -W ignore {COPY}/demo/demo.py")
