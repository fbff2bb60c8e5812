"""The answers of a setup are kept whole, and hold against other options."""

import multiprocessing
from pathlib import Path

import pytest

from restante.cli.failures import Exit, Failure
from restante.cli.setup_record import (
    SetupRecord,
    alone,
    read_record,
    refuse_other_answers,
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


def test_options_that_differ_are_refused(tmp_path: Path) -> None:
    record = SetupRecord(ANSWERS, is_finished=False)
    refuse_other_answers(tmp_path, record, {"hostname": "MX2.example.net"})
    with pytest.raises(Failure) as caught:
        refuse_other_answers(tmp_path, record, {"hostname": "mx9.example.net", "user": "mail"})
    assert caught.value.code == Exit.CANNOT_CREATE
    first, second = caught.value.texts
    assert first.startswith(f"--hostname: the setup in {tmp_path} was begun with mx2.example.net;")
    assert second.startswith(f"--user: the setup in {tmp_path} was begun with none;")


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
