"""`restante export-config` writes what `restante apply` takes."""

import json
import tomllib
from pathlib import Path

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command
from tests.cli.test_apply_command import FILE


def test_an_export_changes_nothing_where_it_comes_from(admin: AdminWorld, command: Command) -> None:
    command("apply", "-", stdin=FILE)
    for options, form in (
        ((), "toml"),
        (("--json",), "json"),
        (("--csv",), "csv"),
        (("--with-secrets",), "toml"),
    ):
        exported = command("export-config", *options)
        assert (exported.code, exported.err) == (0, "")
        done = command("apply", "-", "--format", form, stdin=exported.out)
        assert done.out.startswith("no change; "), options
        if form != "csv":
            pruning = ("--format", form, "--prune", "--reason", "as exported")
            pruned = command("apply", "-", *pruning, stdin=exported.out)
            assert pruned.out.startswith("no change; ")


def test_an_export_makes_the_same_records_in_an_empty_store(
    installation: Path, command: Command
) -> None:
    command("apply", "-", stdin=FILE)
    exported = command("export-config", "--with-secrets")
    only = command("apply", "-", "--prune-accounts", "--reason", "moved", stdin="")
    assert only.code == 0
    assert command("export-config").out == ""
    assert command("apply", "-", stdin=exported.out).code == 0
    assert command("export-config", "--with-secrets").out == exported.out


def test_sizes_and_ages_are_written_for_people(admin: AdminWorld, command: Command) -> None:
    command("apply", "-", stdin=FILE)
    assert command("export-config", "--account", "beta").out == (
        '[[account]]\nname = "beta"\nquota = "1G"\n\n'
        '[[login]]\nuser = "beta-mail"\naccount = "beta"\n\n'
        '[[domain]]\nname = "beta.example"\naccount = "beta"\ndestination = "192.0.2.9:25"\n'
        'allow = ["192.0.2.9"]\nretention = "30d"\naddresses = ["anna", "carl"]\n\n'
        '[[channel]]\nname = "ops"\naccount = "beta"\nmail = "ops@elsewhere.example"\n'
    )
    document = json.loads(command("export-config", "--account", "beta", "--json").out)
    assert document["domain"][0]["retention"] == "30d"
    assert command("export-config", "--account", "beta", "--csv").out == (
        "account,domain,login,destination,allow,addresses,retention\n"
        "beta,beta.example,beta-mail,192.0.2.9:25,192.0.2.9,anna carl,30d\n"
    )


def test_no_secret_is_written_in_a_form_that_can_be_read(
    admin: AdminWorld, command: Command
) -> None:
    given = FILE.replace('user = "beta-mail"', 'user = "beta-mail"\npassword = "correct horse"')
    command("apply", "-", stdin=given)
    plain, sealed = command("export-config").out, command("export-config", "--with-secrets").out
    assert "sealed" not in plain
    assert [list(one) for one in tomllib.loads(sealed)["login"]] == [["user", "account", "sealed"]]
    for text in (plain, sealed):
        assert "correct horse" not in text
        assert "argon" not in text


def test_options_that_exclude_each_other(admin: AdminWorld, command: Command) -> None:
    assert command("export-config", "--csv", "--with-secrets").code == 64
    missing = command("export-config", "--account", "none")
    assert (missing.code, missing.out) == (66, "")
