"""The steps of `restante setup`, each of which finds out whether it is done.

A step may be killed at any point, and is then done again as a whole. None replaces a key, a
certificate, a configuration or mail.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from restante.cli.api_client import ApiClient, connected, segment
from restante.cli.child_work import as_server_user
from restante.cli.failures import Exit, Failure
from restante.cli.progress import waiting
from restante.cli.setup_answers import Answers, CertificateSource
from restante.cli.setup_machine import (
    SYSTEM_DIRECTORY,
    SYSTEM_SOCKET,
    SYSTEM_STORE,
    UNIT_NAME,
    MachineFacts,
    find_unit,
    make_backup_directory,
    make_user,
    own_program,
    start_unit,
    unit_place,
    unit_text,
    unix_account,
)
from restante.config.config_template import (
    ACME_DIRECTORY,
    SELF_SIGNED,
    AcmeChoice,
    ConfigChoices,
    ListenChoice,
)
from restante.config.listen_settings import meet
from restante.config.setup_files import (
    OWN_PAIR,
    FileOwner,
    SetupFiles,
    complete_files,
    has_store,
    put_file,
)
from restante.network.addresses import join_host_port, split_host_port

_SECRET: Final = 0o600
_PUBLIC: Final = 0o644
_LOOPBACK: Final = "127.0.0.1"


class SetupStep(NamedTuple):
    """One step: its word, its text for people, whether it is done, and how to do it."""

    name: str
    text: str
    is_done: Callable[[], bool]
    do: Callable[[], None]


def steps_of(answers: Answers, machine: MachineFacts) -> list[SetupStep]:
    """Return the steps of a setup, in their order."""
    return [*_steps(answers, machine)]


def _steps(answers: Answers, machine: MachineFacts) -> Iterator[SetupStep]:
    user, directory = answers.get("user", ""), Path(answers["dir"])
    store = store_place(answers, machine)
    files = files_of(answers, machine)
    if user:
        yield SetupStep(
            "user",
            f"user {user}",
            lambda: unix_account(user) is not None,
            lambda: make_user(user, store),
        )
    yield SetupStep(
        "files",
        f"configuration, keys and certificates in {directory}",
        files.config.exists,
        lambda: _make_files(files, user),
    )
    yield SetupStep(
        "store", f"store in {store}", lambda: has_store(store), lambda: _make_store(files.config)
    )
    if answers["service"] == "yes":
        yield SetupStep(
            "service",
            f"{UNIT_NAME}, started now and at each boot",
            lambda: False,  # a server that runs goes on
            lambda: _start_service(files.config, user),
        )
    if answers["domain"]:
        yield SetupStep(
            "records",
            f"account {answers['account']} with login {answers['login']} and domain"
            f" {answers['domain']}",
            lambda: False,  # a record that is there stays as it is
            lambda: _add_records(files.config, answers),
        )


def store_place(answers: Answers, machine: MachineFacts) -> Path:
    """Return the directory of the store: that of the unit for an installation of the system."""
    directory = Path(answers["dir"])
    is_system = machine.is_root and directory == SYSTEM_DIRECTORY
    return SYSTEM_STORE if is_system else directory / "data"


def password_file(answers: Answers) -> Path:
    """Return the file with the password of the first login."""
    return Path(answers["dir"]) / f"{answers['login']}-password"


def listeners_of(answers: Answers) -> list[ListenChoice]:
    """Return what the server listens on: mail where it is chosen, the rest on loopback."""
    found = [
        ListenChoice(service, join_host_port(address, int(answers[f"{service}_port"])))
        for service in ("mx", "smtps")
        for address in answers["listen"].split(",")
    ]
    for service in ("web", "odmr"):
        port = int(answers[f"{service}_port"])
        found.append(ListenChoice(service, join_host_port(_LOOPBACK, port)))
    if answers.get("certificate") == CertificateSource.ACME:
        port = int(answers["acme_port"])
        found += [
            ListenChoice("acme", join_host_port(one, port)) for one in answers["listen"].split(",")
        ]
    return found


def meeting_listeners(listeners: Sequence[ListenChoice]) -> list[str]:
    """Return a text for each two listeners of which the second could not be bound."""
    return [
        f"{later.address} ({later.service}): overlaps with {one.address} ({one.service});"
        f" choose another --{later.service}-port"
        for place, later in enumerate(listeners)
        for one in listeners[:place]
        if meet(split_host_port(one.address), split_host_port(later.address))
    ]


def server_answers(config_file: Path) -> bool:
    """Return whether the server of a configuration runs."""
    from restante.config.load import load  # noqa: PLC0415  heavy
    from restante.web.control_socket import answers  # noqa: PLC0415

    return answers(load(config_file, {}).control_socket)


def files_of(answers: Answers, machine: MachineFacts) -> SetupFiles:
    """Return the files of a setup, with the choices of its configuration."""
    directory, store = Path(answers["dir"]), store_place(answers, machine)
    source = answers["certificate"]
    is_own = source == CertificateSource.OWN
    acme = None
    if source == CertificateSource.ACME:
        acme = AcmeChoice(ACME_DIRECTORY, answers["accept_terms"], answers["contact"])
    is_beneath = store.is_relative_to(directory)
    choices = ConfigChoices(
        answers["hostname"],
        store="sqlite:data" if is_beneath else f"sqlite://{store}",
        control_socket=str(SYSTEM_SOCKET) if answers["service"] == "yes" else "",
        user=answers.get("user", ""),
        listeners=listeners_of(answers),
        certificates=OWN_PAIR if is_own else SELF_SIGNED,
        acme=acme,
        looks_up_clients=True,
    )
    pair = (Path(answers["certificate_file"]), Path(answers["key_file"])) if is_own else None
    return SetupFiles(directory, store, choices, pair)


def _make_files(files: SetupFiles, user: str) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from restante.config.privileges import (  # noqa: PLC0415  heavy
        UserUnusable,
        check_program_is_reachable,
    )

    try:
        check_program_is_reachable(user)
    except UserUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    if has_store(files.store):
        remedy = "move it away, or restore the configuration and the key file that belong to it"
        raise Failure(Exit.CANNOT_CREATE, f"{files.store}: has a store already; {remedy}")
    record = unix_account(user) if user else None
    if record is not None:
        files = replace(files, owner=FileOwner(record.pw_uid, record.pw_gid))
    with waiting("making keys and certificates"):
        complete_files(files, time.time())


def _make_store(config_file: Path) -> None:
    from restante.cli.offline_admin import open_configured_store  # noqa: PLC0415  heavy
    from restante.config.load import load  # noqa: PLC0415
    from restante.config.privileges import become, closed_to  # noqa: PLC0415

    config = load(config_file, {})
    if closed := closed_to(config.user, config_file):
        remedy = f"let it enter (chmod a+x {closed}), then run this again"
        raise Failure(Exit.CANNOT_CREATE, f"{closed}: user {config.user} cannot enter it; {remedy}")

    async def make(bind: Callable[[], None]) -> None:
        become(config.user)
        bind()
        store = await open_configured_store(config)
        await store.close()

    as_server_user(make, "making the store")


def _start_service(config_file: Path, user: str) -> None:
    import grp  # noqa: PLC0415

    unit, record = find_unit(), unix_account(user)
    if record is None:
        raise Failure(Exit.CONFIGURATION, f"user {user}: was removed; run this again")
    make_backup_directory(record)
    if unit is None:
        group = grp.getgrgid(record.pw_gid).gr_name
        text = unit_text(own_program(), config_file, user, group)
        put_file(unit_place(), text.encode(), _PUBLIC)
    else:
        _check_unit(unit, config_file, user)
    with waiting("starting the server"):
        start_unit()


def _check_unit(unit: Path, config_file: Path, user: str) -> None:
    """Raise Failure if a unit that is there would not start this installation."""
    text = unit.read_text("utf-8")
    cause = "" if str(config_file) in text else "is for another configuration"
    if not re.search(rf"^User={re.escape(user)}$", text, re.MULTILINE):
        cause = cause or f"is not for user {user}"
    if cause:
        remedy = "change or remove it, then run this again"
        raise Failure(Exit.CANNOT_CREATE, f"{unit}: {cause}; {remedy}")


def _add_records(config_file: Path, answers: Answers) -> None:
    """Add account, login and domain. The password is in its file before the login has it."""
    from restante.admin.login_passwords import generate_password  # noqa: PLC0415  heavy

    file = password_file(answers)
    put_file(file, f"{generate_password()}\n".encode(), _SECRET)
    password = file.read_text("utf-8").strip()

    async def add(bind: Callable[[], None]) -> None:
        async with connected(config_file) as api:
            bind()
            await _add_all(api, answers, password)

    as_server_user(add, "adding account, login and domain")


async def _add_all(api: ApiClient, answers: Answers, password: str) -> None:
    account = answers["account"]
    await api.ask("POST", "/v1/accounts", body={"name": account})
    login = {"user": answers["login"], "password": password}
    await api.ask("POST", f"/v1/accounts/{segment(account)}/logins", body=login)
    domain = {"name": answers["domain"], "account": account, "allow": [answers["allow"]]}
    await api.ask("POST", "/v1/domains", body=domain | {"destination": answers["destination"]})


def look_at_domain(config_file: Path, answers: Answers) -> dict[str, Any]:
    """Return the records to publish, the check and the lines for the primary.

    If one fails, `failures` has its error: nothing of it stops a setup.
    """
    name = segment(answers["domain"])
    asked = {
        "dns": ("GET", f"/v1/domains/{name}/dns", None),
        "check": ("POST", f"/v1/domains/{name}/check", None),
        "snippets": ("GET", f"/v1/domains/{name}/snippets", {"for": answers["primary"]}),
    }

    async def one(api: ApiClient, method: str, path: str, params: Any) -> Any:
        try:
            return await api.ask(method, path, params=params)
        except Failure as failure:
            return failure

    async def look(bind: Callable[[], None]) -> dict[str, Any]:
        async with connected(config_file) as api:
            bind()
            found = await asyncio.gather(*(one(api, *each) for each in asked.values()))
        return _sorted_out(list(asked), found)

    try:
        what = "asking DNS, and looking at the domain's mail server"
        seen: dict[str, Any] = as_server_user(look, what)
    except Failure as failure:
        return {"failures": list(failure.texts)}
    return seen


def _sorted_out(names: Sequence[str], found: Sequence[Any]) -> dict[str, Any]:
    pairs = list(zip(names, found, strict=True))
    views = {name: one for name, one in pairs if not isinstance(one, Failure)}
    failed = [text for _, one in pairs if isinstance(one, Failure) for text in one.texts]
    return views | {"failures": failed}
