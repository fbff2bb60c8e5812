"""The answers of a setup are kept whole, and hold against other options."""

import multiprocessing
from pathlib import Path

import pytest

from restante.cli.failures import Exit, Failure
from restante.cli.setup_record import (
    SetupRecord,
    alone,
    read_record,
    refuse_foreign_directory,
    refuse_other_answers,
    refuse_used_directory,
    write_record,
)

ANSWERS = {"dir": "/etc/restante", "hostname": "mx2.example.net", "domain": ""}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    assert read_record(tmp_path / "nowhere") is None
    for is_finished in (False, True):
        write_record(tmp_path, SetupRecord(ANSWERS, is_finished))
        assert read_record(tmp_path) == SetupRecord(ANSWERS, is_finished)
    assert [path.name for path in tmp_path.iterdir()] == ["setup.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"answers": []}', '{"answers": {}}'])
def test_a_file_that_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "setup.json").write_text(text)
    with pytest.raises(Failure, match=r"setup\.json: is not the record of a setup; remove it"):
        read_record(tmp_path)


def test_a_link_in_the_place_of_the_draft_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "setup.json.new").symlink_to(victim)
    write_record(tmp_path, SetupRecord(ANSWERS, is_finished=False))
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "setup.json").is_symlink()


def test_the_refusal_names_a_directory_above_and_one_above_a_link(tmp_path: Path) -> None:
    others, own = tmp_path / "others", tmp_path / "own"
    others.mkdir()
    own.mkdir()
    (others / "link").symlink_to(own)
    (own / "link").symlink_to(others)
    others.chmod(0o777)
    for directory in (others / "a" / "new", others / "link", own / "link" / "new"):
        with pytest.raises(Failure) as caught:
            refuse_foreign_directory(directory)
        [text] = caught.value.texts
        assert f"{others}: is writable for other users, who" in text or "link: is writable" in text
        assert text.endswith("; choose a --dir in a directory that is yours")


def test_the_refusal_names_the_directory(tmp_path: Path) -> None:
    refuse_foreign_directory(tmp_path / "new")
    tmp_path.chmod(0o755)
    refuse_foreign_directory(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(Failure) as caught:
        refuse_foreign_directory(tmp_path)
    assert caught.value.code == Exit.CANNOT_CREATE
    [text] = caught.value.texts
    assert text.startswith(f"{tmp_path}: is writable for other users")
    assert text.endswith("; choose another --dir, such as one that is not there yet")


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    refuse_used_directory(tmp_path / "new")
    refuse_used_directory(tmp_path)
    for name in ("fullchain.pem", "restante.toml.example", "tls"):
        (tmp_path / name).touch()
    refuse_used_directory(tmp_path)
    (tmp_path / "passwd").touch()
    for directory, name in ((tmp_path, "passwd"), (Path("/"), "")):
        with pytest.raises(Failure) as caught:
            refuse_used_directory(directory)
        assert caught.value.code == Exit.CANNOT_CREATE
        [text] = caught.value.texts
        assert text.startswith(f"{directory}: has other files than those of Restante, such as")
        assert name in text


def test_options_that_differ_are_refused(tmp_path: Path) -> None:
    record = SetupRecord(ANSWERS, is_finished=False)
    refuse_other_answers(tmp_path, record, {"hostname": "MX2.example.net"})
    with pytest.raises(Failure) as caught:
        refuse_other_answers(tmp_path, record, {"hostname": "mx9.example.net", "user": "mail"})
    assert caught.value.code == Exit.CANNOT_CREATE
    first, second = caught.value.texts
    assert first.startswith(f"--hostname: the setup in {tmp_path} was begun with mx2.example.net;")
    assert second.startswith(f"--user: the setup in {tmp_path} was begun with none;")


def test_answers_of_the_last_step_may_differ_until_it_is_done(tmp_path: Path) -> None:
    other = {"domain": "acme.example", "destination": "mail.acme.example"}
    refuse_other_answers(tmp_path, SetupRecord(ANSWERS, is_finished=False), other)
    with pytest.raises(Failure, match="--domain: the setup in"):
        refuse_other_answers(tmp_path, SetupRecord(ANSWERS, is_finished=True), other)


def _second(directory: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with alone(directory):
            answers.put("alone")
    except Failure as failure:
        answers.put(failure.texts[0])


def test_of_two_setups_at_once_the_second_is_told_so(tmp_path: Path) -> None:
    forked = multiprocessing.get_context("fork")
    answers = forked.Queue()
    for expected in ("another setup works there", "alone"):
        other = forked.Process(target=_second, args=(tmp_path, answers))
        if expected == "alone":
            other.start()
        else:
            with alone(tmp_path):
                other.start()
                other.join()
        assert expected in answers.get(timeout=30)
        other.join()
