"""`restante setup` as it is used: transcripts, options, a second run, and a run that was killed."""

import json
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import trustme
import typer

from restante.cli import main, setup_run
from restante.cli.failures import Exit, Failure
from restante.cli.setup_record import read_record
from restante.config.load import load
from tests.cli.conftest import Command
from tests.cli.setup_machines import OLGAS
from tests.cli.typed_terminal import TypedTerminal

DOMAIN = ("--domain", "acme.example", "--destination", "192.0.2.25", "--account", "acme-inc")
PORTS = {"mx": 2525, "smtps": 4465, "web": 8025, "odmr": 3660}


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for an installation of a user who is not root. Its path fits a Unix socket."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(setup_run, "look_at_machine", lambda: OLGAS)
    monkeypatch.setattr(setup_run, "unusable_addresses", lambda _: [])
    monkeypatch.setattr(setup_run, "look_at_domain", lambda *_: {"failures": ["no network"]})
    with tempfile.TemporaryDirectory(prefix="rst") as name:
        yield Path(name) / "i"


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Path], tuple[int, str]]:
    """Run `restante setup` at a terminal, and return its exit code and the transcript."""

    def run(text: str, directory: Path) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", TypedTerminal(text))
        code = main(["setup", "--dir", str(directory)])
        return code, capsys.readouterr().out.replace(str(directory), "DIR")

    return run


def contents(directory: Path) -> dict[Path, bytes]:
    """Return the files of an installation but those of its store."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if "data" not in path.parts}


def test_enter_through_all_questions_gives_a_configuration_that_is_good(
    directory: Path, typed: Callable[[str, Path], tuple[int, str]], command: Command
) -> None:
    code, said = typed("\n\n\n\n", directory)
    assert code == 0
    assert said.partition("\n\nFull name")[0] == (
        "Restante holds mail for domains whose own server is away. Press Enter to take\n"
        "the answer in brackets. Nothing is changed before the last question.\n"
        "\n"
        "You are not root, so the server runs as you, and listens on ports that you may\n"
        "use. As root, this sets up a server for ports 25 and 465."
    )
    assert (
        "certificate      self-signed, valid for 397 days\n"
        "domain           none yet\n"
        "started by       you: the command follows\n"
        "Set this up? [Y/n]: \n"
        "done   configuration, keys and certificates in DIR\n"
        "done   store in DIR/data\n"
        "\n"
        "Restante is set up. It does not run yet.\n"
    ) in said
    config = load(directory / "restante.toml", {})
    assert config.reception.ptr
    assert config.seal_content
    assert {one.service: one.endpoint for one in config.listen} == {
        service: ("127.0.0.1", port) for service, port in PORTS.items()
    }
    checked = command("config", "check", "--config", directory / "restante.toml")
    assert checked.out.endswith(": good\n"), checked.err


def test_no_line_that_people_read_is_wider_than_the_terminal(
    directory: Path, typed: Callable[[str, Path], tuple[int, str]]
) -> None:
    _, said = typed("\n\nacme.example\n\n192.0.2.25\n\n\n\n", directory)
    assert "Let 192.0.2.25 ask for held mail." in said
    copied = " " * 5
    assert [line for line in said.splitlines() if len(line) > 80 and copied != line[:5]] == []


def test_no_is_an_answer(directory: Path, typed: Callable[[str, Path], tuple[int, str]]) -> None:
    assert typed("\n\n\nn\n", directory)[0] == 130
    assert not directory.exists()


def test_options_answer_every_question(directory: Path, command: Command) -> None:
    done = command(
        *("setup", "--yes", "--json", "--dir", directory, "--hostname", "mx2.example.net"),
        *(*DOMAIN, "--login", "acme-mail", "--allow", "192.0.2.0/24", "--mx-port", "2529"),
    )
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert made["changed"]
    assert [row["state"] for row in made["steps"]] == ["done", "done", "done"]
    assert made["config"] == f"{directory}/restante.toml"
    assert made["start"].endswith(f" --config {directory}/restante.toml serve")
    assert made["failures"] == ["no network"]
    assert load(directory / "restante.toml", {}).listen[0].endpoint == ("127.0.0.1", 2529)
    password = directory / "acme-mail-password"
    assert made["password_file"] == str(password)
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    config = ("--config", directory / "restante.toml")
    domain = json.loads(command(*config, "domain", "show", "acme.example", "--json").out)
    assert domain["destination"] == "192.0.2.25:25"
    assert domain["allow"] == ["192.0.2.0/24"]
    again = command(*config, "login", "add", "acme-inc", "acme-mail", "--password-stdin",
                    stdin=password.read_text())  # fmt: skip
    assert "no change" in again.out, "the file has the password of the login"


@pytest.mark.parametrize("source", ["acme", "own"])
def test_each_way_of_the_certificate_gives_a_good_configuration(
    directory: Path, command: Command, source: str
) -> None:
    issued = trustme.CA().issue_cert("mx2.example.net")
    files = [directory.parent / "chain.pem", directory.parent / "key.pem"]
    issued.cert_chain_pems[0].write_to_path(files[0])
    issued.private_key_pem.write_to_path(files[1])
    options = {
        "acme": ["--accept-terms", "https://ca.example/terms", "--contact", "olga@example.net"],
        "own": ["--certificate-file", str(files[0]), "--key-file", str(files[1])],
    }
    made = command("setup", "--yes", "--dir", directory, "--certificate", source, *options[source])
    assert made.code == 0, made.err
    for file in files:
        file.unlink()  # the server has copies
    checked = command("config", "check", "--config", directory / "restante.toml")
    assert checked.out.endswith(": good\n"), checked.err
    again = command("setup", "--yes", "--dir", directory, "--certificate", source, *options[source])
    assert "is set up already" in again.out, again.err


def test_a_second_time_nothing_is_changed(directory: Path, command: Command) -> None:
    words = ("setup", "--yes", "--dir", directory, *DOMAIN)
    assert command(*words).code == 0
    before = contents(directory)
    again = command(*words)
    assert again.code == 0
    assert again.out.startswith(f"{directory}: is set up already; nothing was changed\n")
    assert "3. Publish the needed records" in again.out
    assert not json.loads(command(*words, "--json").out)["changed"]
    other = command(*words, "--hostname", "mx9.example.net")
    assert other.code == 73
    assert "--hostname: the setup in" in other.err
    assert contents(directory) == before


def test_what_was_removed_after_the_setup_stays_so(directory: Path, command: Command) -> None:
    words = ("setup", "--yes", "--dir", directory, *DOMAIN)
    config = ("--config", directory / "restante.toml")
    assert command(*words).code == 0
    assert command(*config, "domain", "remove", "acme.example", "--reason", "moved").code == 0
    assert command(*words).code == 0
    assert command(*config, "domain", "list").out == "0 domains\n"


def test_another_installation_is_left_alone(directory: Path, command: Command) -> None:
    assert command("init", "--dir", directory, "--hostname", "mx2.example.net").code == 0
    before = contents(directory)
    refused = command("setup", "--yes", "--dir", directory)
    assert refused.code == 73
    assert f"{directory}/restante.toml" in refused.err
    assert f"{directory}/data: is there already, nothing was changed" in refused.err
    assert contents(directory) == before


def test_the_directory_of_another_user_is_left_alone(directory: Path, command: Command) -> None:
    directory.mkdir()
    directory.chmod(0o777)
    refused = command("setup", "--yes", "--dir", directory)
    assert refused.code == 73
    assert "is writable for other users, who could replace the keys" in refused.err
    assert not [*directory.iterdir()]


def test_the_mask_of_the_shell_does_not_decide_who_may_read(
    directory: Path, command: Command
) -> None:
    for mask in (0o077, 0):
        place, former = directory / oct(mask), os.umask(mask)
        try:
            assert command("setup", "--yes", "--dir", place).code == 0
            assert os.umask(mask) == mask
        finally:
            os.umask(former)
        modes = {one: (place / one).stat().st_mode & 0o777 for one in ("", "tls", "data")}
        assert modes == {"": 0o755, "tls": 0o755, "data": 0o700}


def test_an_address_that_is_in_use_stops_it_before_the_first_change(
    directory: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_run, "unusable_addresses", lambda _: ["127.0.0.1:25: in use"])
    refused = command("setup", "--yes", "--dir", directory)
    assert refused.code == 69
    assert refused.err == "restante: 127.0.0.1:25: in use; nothing was changed\n"
    assert not directory.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mx-port", "4465"), "127.0.0.1:4465 (smtps): overlaps with 127.0.0.1:4465 (mx)"),
        (("--listen", "0.0.0.0", "--mx-port", "8025"), "(web): overlaps with 0.0.0.0:8025 (mx)"),
    ],
)
def test_listeners_that_overlap_stop_it_before_the_first_change(
    directory: Path, command: Command, options: tuple[str, ...], said: str
) -> None:
    refused = command("setup", "--yes", "--dir", directory, *options)
    assert refused.code == 65
    assert said in refused.err
    assert "-port; nothing was changed" in refused.err
    assert not directory.exists()


def test_a_refused_destination_can_be_corrected(directory: Path, command: Command) -> None:
    words = ("setup", "--yes", "--dir", directory, "--domain", "acme.example", "--destination")
    with mock.patch("restante.cli.setup_steps._add_all", side_effect=Failure(Exit.DATA, "no")):
        assert command(*words, "mail.invalid").code == 65
    assert not read_record(directory).is_finished  # type: ignore[union-attr]
    done = command(*words, "192.0.2.25")
    assert done.code == 0, done.err
    config = ("--config", directory / "restante.toml")
    shown = json.loads(command(*config, "domain", "show", "acme.example", "--json").out)
    assert shown["destination"] == "192.0.2.25:25"
    assert "192.0.2.25" in (directory / "setup.json").read_text()


def test_a_person_is_asked_again_for_the_answers_of_the_last_step(
    directory: Path, typed: Callable[[str, Path], tuple[int, str]]
) -> None:
    with mock.patch("restante.cli.setup_steps._add_all", side_effect=Failure(Exit.DATA, "no")):
        assert typed("\n\nacme.example\n\nmail.invalid\n\n\n\n", directory)[0] == 65
    code, said = typed("\n\n192.0.2.25\n\n\n\n", directory)
    assert code == 0
    assert "First domain to hold mail for; Enter: none yet [acme.example]: " in said
    assert "HOST:PORT [mail.invalid:25]: " in said
    assert "Full name of this server" not in said
    assert "its mail goes to  192.0.2.25:25" in said


def test_a_setup_that_waited_while_another_one_worked_changes_nothing(
    directory: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ("--dir", directory, "--hostname", "mx2.example.net")
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: command("setup", "--yes", *place))
    monkeypatch.setattr("restante.cli.setup_command._can_ask", lambda **_: True)
    monkeypatch.setattr("sys.stdin", TypedTerminal("mx9.example.net\n\n\n"))
    assert main(["setup", "--dir", str(directory)]) == 75
    assert read_record(directory).answers["hostname"] == "mx2.example.net"  # type: ignore[union-attr]


def test_a_dry_run_without_a_terminal_asks_nothing(directory: Path, command: Command) -> None:
    assert command("setup", "--dir", directory, "--dry-run").out.endswith("nothing was changed\n")
    assert json.loads(command("setup", "--dir", directory, "--dry-run", "--json").out)["steps"]
    assert command("setup", "--dir", directory).code == 64


def test_a_dry_run_changes_nothing(directory: Path, command: Command) -> None:
    words = ("setup", "--yes", "--dir", directory, *DOMAIN)
    tried = command(*words, "--dry-run")
    assert tried.code == 0
    assert "to do  store in" in tried.out
    assert tried.out.endswith("\nnothing was changed\n")
    assert not directory.exists()
    shown = json.loads(command(*words, "--dry-run", "--json").out)
    assert {row["state"] for row in shown["steps"]} == {"planned"}
    assert not shown["changed"]
    assert command(*words).code == 0
    shown = json.loads(command(*words, "--dry-run", "--json").out)
    assert {row["state"] for row in shown["steps"]} == {"there"}


def killed(words: list[str], patches: Mapping[str, Callable[[Any], Any]]) -> None:
    """Run the command in a child in which some functions are replaced; it kills itself."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        with ExitStack() as stack:
            for name, replaced in patches.items():
                module, _, attribute = name.rpartition(".")
                original = getattr(sys.modules[module], attribute)
                stack.enter_context(mock.patch(name, replaced(original)))
            main(words)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def before(_: Any) -> Any:
    """Return a function that kills the process in place of its work."""
    return lambda *_args, **_words: os.kill(os.getpid(), signal.SIGKILL)


def after(original: Any) -> Any:
    """Return a function that works, and then kills the process."""

    def work(*args: Any, **words: Any) -> None:
        original(*args, **words)
        os.kill(os.getpid(), signal.SIGKILL)

    return work


def at_second(original: Any) -> Any:
    """Return a function that kills the process at its second call."""
    calls: list[None] = []

    def work(*args: Any, **words: Any) -> Any:
        calls.append(None)
        return original(*args, **words) if len(calls) == 1 else before(original)()

    return work


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("restante.cli.setup_run.write_record", after),
        ("restante.config.setup_files.put_file", at_second),
        ("restante.cli.setup_steps.complete_files", after),
        ("restante.cli.setup_steps._make_store", after),
        ("restante.cli.setup_steps.put_file", after),  # the password
        ("restante.cli.setup_steps._add_records", after),
        ("restante.cli.setup_run.write_record", at_second),
    ],
)
def test_a_run_that_was_killed_is_completed_by_the_next(
    directory: Path, command: Command, place: str, kind: Callable[[Any], Any]
) -> None:
    words = ["setup", "--yes", "--dir", str(directory), *DOMAIN]
    killed(words, {place: kind})
    left = contents(directory)
    left.pop(directory / "setup.json")
    done = command(*words)
    assert done.code == 0, done.err
    assert contents(directory).items() >= left.items(), "a file was replaced"
    assert load(directory / "restante.toml", {}).hostname == "mx2.example.net"
    domains = command("--config", directory / "restante.toml", "domain", "list", "--json")
    assert [row["name"] for row in json.loads(domains.out)] == ["acme.example"]
    assert json.loads((directory / "setup.json").read_text())["finished"]


def test_a_run_that_was_stopped_says_how_to_go_on(
    directory: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("restante.cli.setup_steps._make_store", stopped)
        done = command("setup", "--yes", "--dir", directory)
    assert done.code == 130
    assert done.err.endswith("stopped before the end; to go on, run `restante setup` again\n")
    again = command("setup", "--yes", "--dir", directory)
    assert again.out.startswith(
        f"there  configuration, keys and certificates in {directory}\ndone   store in"
    )
