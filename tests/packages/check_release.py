"""A whole release: every file is there, twice the same, and the documented commands verify it."""

import json
import subprocess
from pathlib import Path

import pytest

from restante import __version__
from tests.documents.blocks import read_blocks
from tests.packages.clean_tree import WHEELS
from tools import build_release
from tools.build_dist import SUMS
from tools.commit_time import TOP

GUIDE = "docs/how-to/verify-a-release.md"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("key") / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(command, check=True, timeout=60)
    return key


@pytest.fixture(scope="module")
def release(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(key, tmp_path_factory.mktemp("release") / "files")


def built(key: Path, directory: Path) -> Path:
    """Build a release of the files as they are, committed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_release, "changed_files", list)
        build_release.build_release(directory, key, WHEELS)
    return directory


def test_a_release_has_the_files_that_the_guide_lists(release: Path) -> None:
    guide = (TOP / GUIDE).read_text()
    cells = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    listed = [name for cell in cells for name in cell.replace("`", "").replace(",", " ").split()]
    assert sorted(file.name for file in release.iterdir()) == sorted(listed)


def test_the_commands_of_the_guide_verify_it(release: Path, key: Path) -> None:
    signer = f'release namespaces="restante-release" {key.with_suffix(".pub").read_text()}'
    (release.parent / "signers").write_text(signer)
    (release / "signers").symlink_to("../signers")
    try:
        for block in read_blocks(TOP / GUIDE, GUIDE):
            if block.must_print:
                done = subprocess.run(
                    ["bash", "-ec", block.text], cwd=release, check=True, capture_output=True,
                    text=True, timeout=60,
                )  # fmt: skip
                assert block.must_print in done.stdout
    finally:
        (release / "signers").unlink()


def test_a_second_build_has_the_same_octets(release: Path, key: Path, tmp_path: Path) -> None:
    again = built(key, tmp_path / "files")
    assert (again / SUMS).read_text() == (release / SUMS).read_text()


def test_the_bill_of_materials_has_the_libraries_of_the_lock_file(release: Path) -> None:
    listed = json.loads((release / f"restante-{__version__}.cdx.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    parts = {
        (part["name"].lower().replace("_", "-"), part["version"]) for part in listed["components"]
    }
    lock = (release / "requirements-postgres.lock").read_text()
    pinned = {tuple(line.split(" ")[0].split("==")) for line in lock.splitlines() if "==" in line}
    missing = {one for one in pinned if one not in parts}
    assert {name for name, _ in missing} <= {"colorama"}  # of Windows
    assert all(part.get("licenses") for part in listed["components"])
