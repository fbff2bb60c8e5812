"""The measurement of `restante apply` runs whole, with three customers."""

import pytest

from bench import onboard


def test_each_run_ends_with_its_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["onboard.py", "--customers", "3"])
    onboard.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if " | " in line]
    assert [(row[0], row[-1]) for row in rows[2:]] == [
        (
            "| dry run",
            "12 added, 3 changed, 0 removed, 0 unchanged (dry run: nothing was changed) |",
        ),
        ("| apply", "12 added, 3 changed, 0 removed, 0 unchanged |"),
        ("| apply again", "no change; 15 records are as declared |"),
        ("| apply --prune", "no change; 15 records are as declared |"),
    ]
