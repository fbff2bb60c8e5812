"""Each place where somebody can press the tab key, and the words that are offered there."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from restante.cli import main
from restante.cli.command_line import build_command
from restante.cli.command_loading import COMMANDS
from restante.cli.name_completion import NameKind
from restante.cli.word_completion import FILES, complete_words, offered_words, read_words
from tests.admin.admin_world import AdminWorld

ROOT = build_command()
NAMES = {
    NameKind.ACCOUNT: ["acme", "beta"],
    NameKind.DOMAIN: ["acme.example", "beta.example", "alpha.example"],
    NameKind.MESSAGE: ["1a", "1b", "2c"],
    NameKind.LOGIN: ["acme-mail", "acme-web"],
    NameKind.TOKEN: ["t1", "t2"],
    NameKind.CHANNEL: ["hook", "ops"],
    NameKind.NODE: ["mx1:1", "mx2:1"],
    NameKind.PORTAL_USER: ["anna@acme.example"],
}


class Names:
    """The names above, and the questions that were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[NameKind, str, Path | None, Path | None]] = []
        self.accounts: list[str] = []

    def __call__(
        self,
        kind: NameKind,
        beginning: str,
        *,
        account: str = "",
        config: Path | None,
        socket: Path | None,
    ) -> Sequence[str]:
        self.accounts.append(account)
        self.asked.append((kind, beginning, config, socket))
        return NAMES[kind]


def offered(line: str, names: Names | None = None) -> list[str]:
    *earlier, current = line.split(" ")
    found = offered_words(read_words(ROOT, earlier), current, names or Names())
    return [candidate for candidate, _ in found]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sta", "status"),
        ("queue re", "release"),
        ("--config x queue re", "release"),
        ("--config=x queue re", "release"),
        ("domain show a", "acme.example alpha.example"),
        ("domain show acme.example ", ""),
        ("domain set acme.example --ho", "--hold"),
        ("domain set acme.example --hold o", "on-return"),
        ("domain set acme.example --hold=o", "--hold=on-return"),
        ("domain set acme.example --hold = o", "on-return"),
        ("domain set acme.example --hold =", "until-asked on-return relay suspended"),
        ("domain add a", ""),
        ("domain add new.example --account a", "acme"),
        ("account show ", "acme beta"),
        ("account usage b", "beta"),
        ("account add ", ""),
        ("login set ", "acme beta"),
        ("login set acme ", "acme-mail acme-web"),
        ("login add acme ", ""),
        ("token revoke ", "t1 t2"),
        ("token add acme ", ""),
        ("notice test h", "hook"),
        ("notice add ", ""),
        ("notice add ops --only mail-ex", "mail-expired"),
        ("node retire mx2", "mx2:1"),
        ("user remove a", "anna@acme.example"),
        ("recipient list b", "beta.example"),
        ("release acme.example ", "beta.example alpha.example"),
        ("etrn mx.example ", ""),
        ("queue list --domain b", "beta.example"),
        ("queue delete 1a 1", "1b"),
        ("trace 1", "1a 1b"),
        ("domain snippet acme.example --for exi", "exim"),
        ("apply ", FILES),
        ("--config ", FILES),
        ("status --socket ", FILES),
        ("queue list --recipient ", ""),
        ("queue list --older ", ""),
        ("queue list -- --st", ""),
        ("nothing ", ""),
        ("queue nothing ", ""),
        ("completion ", "bash zsh fish"),
    ],
)
def test_words_are_offered_that_fit_the_place(line: str, words: str) -> None:
    assert offered(line) == words.split()


def test_an_option_is_offered_until_it_is_given_unless_it_is_repeatable() -> None:
    assert "--limit" in offered("queue list --")
    assert "--limit" not in offered("queue list --limit 5 --")
    assert "--allow" in offered("domain set acme.example --allow x --")
    assert "--help" in offered("queue list --")


def test_names_are_asked_of_the_server_that_the_command_would_use() -> None:
    names = Names()
    offered("domain show --config a.toml al", names)
    offered("--socket s domain list --account be", names)
    assert names.asked == [
        (NameKind.DOMAIN, "al", Path("a.toml"), None),
        (NameKind.ACCOUNT, "be", None, Path("s")),
    ]


def test_the_account_that_the_command_names_is_the_one_that_is_asked_for() -> None:
    names = Names()
    offered("login set acme ", names)
    offered("notice test --account beta ", names)
    offered("notice test ", names)
    assert names.accounts == ["acme", "beta", ""]


def test_a_login_with_the_name_of_its_account_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, NameKind.LOGIN, ["acme"])
    assert offered("login set acme ") == ["acme"]


def test_a_name_that_a_shell_would_not_take_as_it_is_is_not_offered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ["acme.example", "two words", "\x1b[31mred", "tab\tbed", ""]
    found += ["$(id)", "`id`", "a;id", "a'b", 'a"b', "a|b", "a&b", "a>b", "a\nb", "a\\b"]
    found += ["a\u202eb", "a\u200bb", "a\x9bb", ":files"]
    monkeypatch.setattr("restante.cli.word_completion.served_names", lambda *_, **__: found)
    assert complete_words(["domain", "show", ""]) == 0
    assert capsys.readouterr().out == "acme.example\n"


def test_all_commands_are_offered_without_loading_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--complete", ""]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == ["version", *COMMANDS]


def test_names_come_from_the_running_server_and_few_modules_are_loaded(admin: AdminWorld) -> None:
    program = (
        "import sys; from restante.cli import main, name_completion; "
        "name_completion.ANSWER_SECONDS = 60; main(); print('\\v', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--complete", "domain", "show", "al"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    offered, _, loaded = done.stdout.partition("\v ")
    assert (offered, done.stderr) == ("alpha.example\n", "")
    assert not set(loaded.split()) & {"asyncio", "httpx", "fastapi", "rich", "pydantic", "apsw"}
    assert len(loaded.split()) <= 330


@pytest.mark.parametrize("words", [[], ["domain", "show", "a"], ["domain", "show", "\x00"], ["-"]])
def test_without_a_server_and_for_nonsense_nothing_is_said(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RESTANTE_CONTROL_SOCKET", str(tmp_path / "none.sock"))
    assert main(["--complete", *words]) == 0
    assert capsys.readouterr().err == ""
