"""The files of a release are named by checksums, which a key signs."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.peers.programs import require
from tools import build_deb, build_release
from tools.build_dist import SUMS
from tools.build_release import (
    NAMESPACE,
    NotReleasableError,
    check_commit,
    main,
    sign,
    write_sums,
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("key") / "key"
    command = [require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(command, check=True, timeout=60)
    return key


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A directory with two files and their checksums."""
    (tmp_path / "b.whl").write_text("wheel")
    (tmp_path / "a.tar.gz").write_text("source")
    write_sums(tmp_path)
    return tmp_path


def verify(release: Path, key: Path) -> int:
    """Verify the signature by the command of the guide."""
    signers = release.parent / "signers"
    signers.write_text(f'release namespaces="{NAMESPACE}" {key.with_suffix(".pub").read_text()}')
    signature = release / f"{SUMS}.sig"
    command = [require("ssh-keygen"), "-Y", "verify", "-f", str(signers), "-I", "release"]
    with (release / SUMS).open("rb") as signed:
        return subprocess.run(
            [*command, "-n", NAMESPACE, "-s", str(signature)],
            check=False,
            stdin=signed,
            capture_output=True,
            timeout=60,
        ).returncode


def test_the_checksums_name_each_file_and_are_valid(release: Path, key: Path) -> None:
    sign(release / SUMS, key)
    write_sums(release)  # as if it was repeated: neither checksums nor signature are named
    names = [line.split("  ")[1] for line in (release / SUMS).read_text().splitlines()]
    assert names == ["a.tar.gz", "b.whl"]
    subprocess.run(["sha256sum", "--check", SUMS], cwd=release, check=True, timeout=60)


def test_the_signature_is_of_these_checksums_and_of_no_others(release: Path, key: Path) -> None:
    sign(release / SUMS, key)
    assert verify(release, key) == 0
    (release / "b.whl").write_text("another wheel")
    write_sums(release)
    assert verify(release, key) != 0


def test_another_commit_than_the_one_that_is_seen_is_not_released() -> None:
    check_commit([])
    with pytest.raises(NotReleasableError, match=r"^README\.md: not as in the commit"):
        check_commit(["README.md", "other"])


def test_a_refusal_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(build_release, "changed_files", lambda: ["README.md"])
    monkeypatch.setattr(build_deb, "download", lambda _: pytest.fail("nothing may be done"))
    assert main([str(tmp_path / "out"), "--key", "key"]) == 1
    assert capsys.readouterr().err.startswith("build_release: README.md: not as in the commit")
    assert not (tmp_path / "out").exists()


def test_a_key_that_is_not_there_is_told_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(build_release, "changed_files", list)
    monkeypatch.setattr(build_deb, "download", lambda _: pytest.fail("nothing may be done"))
    assert main([str(tmp_path / "out"), "--key", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith(f"build_release: {tmp_path}/none: is no file; name")


def test_a_key_that_cannot_sign_is_told(release: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("no key")
    with pytest.raises(NotReleasableError, match="ssh-keygen could not sign with it"):
        sign(release / SUMS, bad)
