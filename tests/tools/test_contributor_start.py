"""`make dev` names the next steps, and each of them is there."""

import re

from tools.contributor_start import NEXT, PAGES, PEERS, advice
from tools.links import TOP


def test_the_next_steps_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert {command.removeprefix("make ") for command in NEXT} <= set(targets)
    assert all((TOP / page).is_file() for page in PAGES)


def test_every_step_and_page_is_told() -> None:
    text = "\n".join(advice(dict.fromkeys(PEERS, "/usr/bin/x"), is_root=True))
    assert all(name in text for name in (*NEXT, *PAGES))
    assert "Not installed" not in text
    assert "root" not in text


def test_missing_programs_are_named_with_the_remedy() -> None:
    found = {**dict.fromkeys(PEERS, "/usr/bin/x"), "msmtp": None, "swaks": None}
    text = "\n".join(advice(found, is_root=False))
    assert "Not installed: swaks, msmtp." in text
    assert "ci/install-peers" in text
    assert "need root" in text
