"""A server's record is found by the file it runs, and believed only from trusted users."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.config import server_record
from restante.config.server_record import recorded, recorded_socket, trusted_users

OURS = {os.geteuid()}
STRANGER = 54_321


@pytest.fixture(autouse=True)
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the directories of records into one of this test."""
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(server_record, "RUNTIME", tmp_path / "run")
    monkeypatch.setattr(server_record, "SHARED", shared)
    return shared


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "restante.toml"
    file.write_text("")
    return file


def the_record(directory: Path) -> Path:
    [record] = directory.rglob("*.server")
    return record


def test_a_record_lives_as_long_as_its_server(file: Path, shared: Path) -> None:
    assert recorded_socket(file, OURS) is None
    with recorded(file, Path("/x/a.sock")):
        file.write_text("edited")
        assert recorded_socket(file, OURS) == Path("/x/a.sock")
        assert recorded_socket(file.with_name("other.toml"), OURS) is None
        assert the_record(shared).stat().st_mode & 0o777 == 0o600
        assert the_record(shared).parent.stat().st_mode & 0o777 == 0o700
    assert recorded_socket(file, OURS) is None
    assert list(shared.rglob("*.server")) == []


def test_several_servers_have_records_beside_each_other(file: Path) -> None:
    other = file.with_name("other.toml")
    with recorded(file, Path("/x/a.sock")), recorded(other, Path("/x/b.sock")):
        assert recorded_socket(file, OURS) == Path("/x/a.sock")
        assert recorded_socket(other, OURS) == Path("/x/b.sock")


def test_the_latest_server_of_a_file_counts_and_the_earlier_leaves_its_record(file: Path) -> None:
    with recorded(file, Path("/x/new.sock")):
        pass
    earlier = recorded(file, Path("/x/a.sock"))
    earlier.__enter__()
    with recorded(file, Path("/x/b.sock")):
        earlier.__exit__(None, None, None)
        assert recorded_socket(file, OURS) == Path("/x/b.sock")


def test_the_record_of_a_killed_server_counts_for_nothing_and_is_swept(
    file: Path, shared: Path
) -> None:
    killed = (
        "import os, sys; from pathlib import Path; from restante.config import server_record as r\n"
        "r.RUNTIME, r.SHARED = Path('/nonexistent/run'), Path(sys.argv[2])\n"
        "with r.recorded(Path(sys.argv[1]), Path('/x/a.sock')): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", killed, file, shared], check=True, timeout=60)
    assert json.loads(the_record(shared).read_text())["socket"] == "/x/a.sock"
    assert recorded_socket(file, OURS) is None
    with recorded(file.with_name("other.toml"), Path("/x/b.sock")):
        assert json.loads(the_record(shared).read_text())["socket"] == "/x/b.sock"


def test_the_runtime_directory_is_preferred_if_it_is_ours(
    file: Path, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    with recorded(file, Path("/x/a.sock")):
        assert the_record(tmp_path / "run").parent == tmp_path / "run"
        assert list(shared.iterdir()) == []
        assert recorded_socket(file, OURS) == Path("/x/a.sock")


def test_a_file_that_is_a_link_keeps_its_record_when_the_link_is_changed(file: Path) -> None:
    first, second = file.with_name("1"), file.with_name("2")
    for version in (first, second):
        version.write_text("")
    file.unlink()
    file.symlink_to(first)
    with recorded(file, Path("/x/a.sock")):
        file.unlink()
        file.symlink_to(second)
        assert recorded_socket(file, OURS) == Path("/x/a.sock")


def test_a_directory_may_have_two_paths(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file.parent)
    with recorded(file, Path("/x/a.sock")):
        assert recorded_socket(link / file.name, OURS) == Path("/x/a.sock")


UNTRUSTED: dict[str, Callable[[Path], object]] = {
    "others write the record": lambda record: record.chmod(0o620),
    "others write the directory": lambda record: record.parent.chmod(0o777),
    "others replace the directory": lambda record: record.parent.parent.chmod(0o777),
    "a strange record": lambda record: os.chown(record, STRANGER, -1),
    "a strange directory": lambda record: os.chown(record.parent, STRANGER, -1),
    "no JSON": lambda record: record.write_text("{"),
    "no object": lambda record: record.write_text("[]"),
    "no text": lambda record: record.write_text('{"config": 1, "socket": 1}'),
    "empty": lambda record: record.write_text(""),
}


@pytest.mark.parametrize("fault", UNTRUSTED)
def test_a_record_that_others_could_have_written_is_not_believed(
    file: Path, shared: Path, fault: str
) -> None:
    if "strange" in fault and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    with recorded(file, Path("/x/a.sock")):
        assert recorded_socket(file, OURS) is not None
        UNTRUSTED[fault](the_record(shared))
        assert recorded_socket(file, OURS) is None


def test_a_link_in_the_place_of_a_record_or_its_directory_is_not_followed(
    file: Path, shared: Path, tmp_path: Path
) -> None:
    with recorded(file, Path("/x/a.sock")):
        record = the_record(shared)
        record.rename(tmp_path / "moved")
        record.symlink_to(tmp_path / "moved")
        assert recorded_socket(file, OURS) is None
        record.unlink()
        (tmp_path / "moved").rename(record)
        assert recorded_socket(file, OURS) is not None
        record.parent.rename(tmp_path / "elsewhere")
        record.parent.symlink_to(tmp_path / "elsewhere")
        assert recorded_socket(file, OURS) is None


def test_a_server_runs_without_a_record_where_it_can_write_none(file: Path, shared: Path) -> None:
    (shared / f"restante-{os.geteuid()}").write_text("in the way")
    with recorded(file, Path("/x/a.sock")):
        assert recorded_socket(file, OURS) is None
    with recorded(None, Path("/x/a.sock")):
        pass


def test_root_this_user_the_owner_of_the_file_and_the_servers_user_are_trusted(file: Path) -> None:
    assert trusted_users(file, "") == {0, os.geteuid(), file.stat().st_uid}
    assert trusted_users(file, "no such user") == trusted_users(file, "")
    assert trusted_users(file.with_name("none"), "bin") == {0, os.geteuid(), 2}
