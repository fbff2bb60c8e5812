"""Figures of this process, as the system reports them."""

import tempfile

import pytest

from restante.telemetry import process_figures
from restante.telemetry.process_figures import look_at_process


def test_the_system_says_something_of_this_process() -> None:
    facts = look_at_process()
    assert facts.cpu_seconds > 0
    assert facts.resident_octets is None or facts.resident_octets > 2**20
    assert facts.open_files is None or 0 < facts.open_files <= facts.open_files_limit


@pytest.mark.skipif(look_at_process().open_files is None, reason="/proc shows no file descriptors")
def test_an_open_file_is_counted_once() -> None:
    before = look_at_process().open_files
    assert before is not None
    with tempfile.TemporaryFile():
        assert look_at_process().open_files == before + 1
    assert look_at_process().open_files == before


def test_a_system_that_does_not_say_leaves_the_figures_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(*_: object) -> None:
        raise PermissionError("/proc shows processes only")

    monkeypatch.setattr(process_figures, "open", hidden, raising=False)
    monkeypatch.setattr("os.listdir", hidden)
    facts = look_at_process()
    assert (facts.resident_octets, facts.open_files) == (None, None)
    assert facts.open_files_limit > 0
