"""`restante apply`: shows what it changes, twice is once, and every fault is told."""

import json
from pathlib import Path

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

FILE = """
[[account]]
name = "beta"
quota = "1G"

[[login]]
user = "beta-mail"
account = "beta"

[[domain]]
name = "beta.example"
account = "beta"
destination = "192.0.2.9"
allow = ["192.0.2.9"]
retention = "30d"
addresses = ["anna", "carl"]

[[channel]]
name = "ops"
account = "beta"
mail = "ops@elsewhere.example"
"""


def test_a_file_is_applied_and_then_changes_nothing(installation: Path, command: Command) -> None:
    file = installation / "customers.toml"
    file.write_text(FILE)
    shown = command("apply", file, "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "account beta: would be added",
        "login beta-mail of beta: would be added",
        "domain beta.example: would be added",
        "recipients of beta.example: would be changed",
        "  listed: 0 → 2",
        "  added: none → 2",
        "notice channel ops of beta: would be added",
        "4 added, 1 changed, 0 removed, 0 unchanged (dry run: nothing was changed)",
    ]
    done = command("apply", file)
    assert done.code == 0
    assert done.err == "restante: the following passwords and keys are shown only once\n"
    *_, summary, secret = done.out.splitlines()
    assert summary == "4 added, 1 changed, 0 removed, 0 unchanged"
    assert secret.startswith("login beta-mail of beta: ")
    assert len(secret.removeprefix("login beta-mail of beta: ")) == 29
    again = command("apply", file, "--prune", "--reason", "as the file")
    assert (again.code, again.out) == (0, "no change; 5 records are as declared\n")


def test_json_has_all_of_it_and_whether_something_changed(
    admin: AdminWorld, command: Command
) -> None:
    done = json.loads(command("apply", "-", "--json", stdin=FILE).out)
    assert (done["changed"], done["is_complete"], done["unchanged"]) == (True, True, 0)
    [secret] = done["secrets"]
    assert (secret["thing"], secret["name"]) == ("login", "beta-mail")
    assert all("secret" not in step for step in done["steps"])
    again = json.loads(command("apply", "-", "--json", "--dry-run", stdin=FILE).out)
    assert (again["changed"], again["steps"], again["unchanged"]) == (False, [], 5)


def test_changes_show_both_values_and_pruning_removes(admin: AdminWorld, command: Command) -> None:
    command("apply", "-", stdin=FILE)
    changed = FILE.replace('"30d"', '"7d"').replace("[[channel]]", "[[channel]]\nkinds = []")
    assert command("apply", "-", stdin=changed).out.splitlines() == [
        "domain beta.example: changed",
        "  policy.retention.seconds: 30d → 7d",
        "0 added, 1 changed, 0 removed, 4 unchanged",
    ]
    only = '[[account]]\nname = "beta"\n'
    gone = command("apply", "-", "--prune", "--reason", "left us", stdin=only)
    assert gone.out.splitlines()[-1] == "0 added, 1 changed, 3 removed, 0 unchanged"
    entries = json.loads(command("audit", "--json").out)
    assert {entry["reason"] for entry in entries[:3]} == {"left us"}


def test_a_domain_with_mail_stays_and_the_exit_code_tells(
    admin: AdminWorld, command: Command
) -> None:
    only = '[[account]]\nname = "alpha"\n'
    for arguments, what in ((("--dry-run",), "would not be"), ((), "was not")):
        kept = command("apply", "-", "--prune", "--reason", "gone", *arguments, stdin=only)
        assert kept.code == 65
        assert kept.err == (
            f"restante: domain alpha.example {what} removed: holds 2"
            " messages; release or delete them first\n"
        )
        assert "0 added, 0 changed, 0 removed, 1 failed, 1 unchanged" in kept.out


def test_accounts_that_are_not_named_go_only_on_demand(admin: AdminWorld, command: Command) -> None:
    command("account", "add", "gamma")
    command("apply", "-", "--prune", "--reason", "gone", stdin=FILE)
    assert "gamma" in admin.context.directory.now.accounts
    gone = command("apply", "-", "--prune-accounts", "--reason", "gone", stdin=FILE)
    assert "account gamma: removed" in gone.out
    assert gone.code == 65, "alpha holds mail"


def test_every_fault_is_told_with_its_line(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "x.toml"
    faulty = FILE.replace("192.0.2.9", "localhost:2525", 1).replace("ops@elsewhere", "ops@beta")
    file.write_text(faulty.replace('user = "beta-mail"', 'user = "beta mail"'))
    told = command("apply", file)
    assert (told.code, told.out) == (65, "")
    beginnings = (
        f"restante: {file}:6: login beta mail: ",
        f"restante: {file}:10: domain beta.example: destination localhost:2525: ",
        f"restante: {file}:18: notice channel ops: mail to ops@beta.example would be held here",
    )
    for line, beginning in zip(told.err.splitlines(), beginnings, strict=True):
        assert line.startswith(beginning)
    file.write_text("[[account]]\nname = 5\n[[domain]]\nname = 'x'\nquota = 'much'\n[[user]]\n")
    told = command("apply", file)
    assert told.code == 65
    assert f"{file}:3: domain x: quota: 'much' is not a size" in told.err
    assert f"{file}:6: user: is unknown; it has [[account]]" in told.err
    accounts = json.loads(command("account", "list", "--json").out)
    assert [account["name"] for account in accounts] == ["alpha"]


def test_a_file_that_cannot_be_read_is_named(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    missing = command("apply", tmp_path / "none.toml")
    assert (missing.code, "No such file" in missing.err) == (66, True)
    (tmp_path / "x.toml").write_bytes(b"\xff")
    assert command("apply", tmp_path / "x.toml").code == 65
    broken = command("apply", "-", stdin="[[account]\n")
    assert broken.code == 65
    assert broken.err.startswith("restante: stdin: Expected ']]'")


def test_domains_come_from_csv(admin: AdminWorld, command: Command, tmp_path: Path) -> None:
    table = tmp_path / "domains.csv"
    table.write_text(
        "account,domain,destination,allow,login\n"
        "beta,one.example,192.0.2.9,192.0.2.9 10.0.0.0/8,beta-mail\n"
        "beta,two.example,192.0.2.9,,beta-mail\n"
    )
    done = command("apply", table)
    assert done.code == 0
    directory = admin.context.directory.now
    assert directory.domains["one.example"].authorized_hosts.texts == ("192.0.2.9", "10.0.0.0/8")
    assert list(directory.logins) == ["beta-mail"]
    assert command("apply", table).out == "no change; 4 records are as declared\n"


def test_an_error_names_its_thing_once(admin: AdminWorld, command: Command) -> None:
    wrong = command("apply", "-", stdin='[[account]]\nname = "Bad Name"\n')
    assert wrong.err.startswith(
        "restante: stdin:1: account Bad Name: not a name for an account; use "
    )


def test_a_misspelled_setting_is_answered_with_the_right_one(
    admin: AdminWorld, command: Command
) -> None:
    wrong = command("apply", "-", stdin='[[account]]\nname = "a"\nnotes = "x"\n')
    assert wrong.err == (
        "restante: stdin:1: account a: notes: is not a setting; did you mean note?\n"
    )
