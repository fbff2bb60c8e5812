"""The entries of a declarative configuration: one for each record that should be there.

An entry has the names of the options and of `domain show --json`. A field that is not given is
unchanged, or has its default where everything unnamed is pruned. No function here uses the network
or the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from restante.admin.accounts import AccountChange
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import ChannelChange
from restante.admin.domain_change import DomainFields
from restante.admin.login_certificates import PemList
from restante.admin.request_bounds import LineText, Moment, RecipientNames, SealedText, Secret
from restante.admin.scope import domain_name
from restante.mail.quantity import counted
from restante.mail.unique_json import NameTwice, read_json
from restante.phrases import did_you_mean
from restante.tenancy.notice import ChannelTransport
from restante.tenancy.policy import HoldPolicy

MAX_PROBLEMS: Final = 100  # that are told at once


class AccountEntry(AccountChange):
    """An account that should be there."""

    name: LineText
    place: LineText = ""  # where the caller has it, such as `customers.toml:14`; for errors

    @property
    def label(self) -> str:
        """Return the thing, as errors name it."""
        return f"account {self.name}"


class LoginEntry(BaseModel):
    """A login that should be there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: LineText
    account: LineText
    password: Secret | None = None  # None: a new login without certificates gets one
    sealed: SealedText | None = None  # as exported under the same key file
    cram_md5: bool | None = None
    turnaround: bool | None = None
    certificates: PemList | None = None
    expires_at: Moment | Literal["never"] | None = None
    place: LineText = ""

    @property
    def label(self) -> str:
        """Return the thing, as errors name it."""
        return f"login {self.user}"


class DomainEntry(DomainFields):
    """A hosted domain that should be there."""

    name: LineText
    account: LineText
    destination: LineText | None = None  # a new domain needs one
    hold_otherwise: HoldPolicy | None = None  # in force when the suspension has ended
    destination_set_by: LineText | None = None  # the account that chose it; for operators to give
    destination_sealed: SealedText | None = (
        None  # the password, as exported under the same key file
    )
    addresses: RecipientNames | None = None  # the list of recipients; None: it stays
    place: LineText = ""

    @property
    def label(self) -> str:
        """Return the thing, as errors name it."""
        return f"domain {self.name}"


class MoreAddresses(BaseModel):
    """More recipients of a domain whose entry came before: a line need not be long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: LineText
    addresses: RecipientNames
    place: LineText = ""

    @property
    def label(self) -> str:
        """Return the thing, as errors name it."""
        return f"domain {self.name}"


class ChannelEntry(ChannelChange):
    """A channel of notices that should be there."""

    name: LineText
    account: LineText = ""  # "": the operator's own
    transport: ChannelTransport | None = None  # of `sealed`, or of a channel that is there
    target: LineText | None = None  # as it is shown; of `sealed`
    sealed: SealedText | None = None  # URL and key, as exported under the same key file
    place: LineText = ""

    @property
    def label(self) -> str:
        """Return the thing, as errors name it."""
        return f"notice channel {self.name}"


ConfigurationEntry = AccountEntry | LoginEntry | DomainEntry | ChannelEntry
EntryKind = Literal["account", "login", "domain", "addresses", "channel"]
MODELS: Final[Mapping[str, type[ConfigurationEntry | MoreAddresses]]] = {
    "account": AccountEntry,
    "login": LoginEntry,
    "domain": DomainEntry,
    "addresses": MoreAddresses,
    "channel": ChannelEntry,
}


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """One fault of a configuration."""

    kind: ErrorKind
    text: str  # place, thing and cause
    remedy: str


class NotApplicable(AdminError):  # noqa: N818  a refusal
    """A configuration has faults. Nothing was changed."""

    def __init__(self, problems: list[EntryProblem]) -> None:
        """The first problem is the error; `problems` has all that are told, as lines."""
        first = problems[0]
        super().__init__(first.kind, first.text, first.remedy)
        self.problems = [f"{one.text}; {one.remedy}" for one in problems[:MAX_PROBLEMS]]
        if (more := len(problems) - MAX_PROBLEMS) > 0:
            self.problems.append(f"{counted(more, 'more error')}; correct these first")


@dataclass(slots=True)
class WantedRecords:
    """The entries of a configuration by their names, and the faults in them."""

    accounts: dict[str, AccountEntry] = field(default_factory=dict)
    logins: dict[str, LoginEntry] = field(default_factory=dict)
    domains: dict[str, DomainEntry] = field(default_factory=dict)
    channels: dict[tuple[str, str], ChannelEntry] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)  # by domain
    problems: list[EntryProblem] = field(default_factory=list)

    def add_line(self, line: bytes) -> None:
        """Add the entry of a line of JSON. A fault in it becomes a problem."""
        try:
            self._add(read_entry(line))
        except AdminError as error:
            self.problems.append(EntryProblem(error.kind, error.error, error.remedy))

    def note(self, entry: ConfigurationEntry, error: AdminError) -> None:
        """Note a fault of an entry."""
        kind, _, name = entry.label.partition(" ")
        text = error.error.removeprefix(f"{entry.label}: ").removeprefix(f"{kind} {name!r}: ")
        self.problems.append(EntryProblem(error.kind, f"{spot(entry)}: {text}", error.remedy))

    @property
    def named_accounts(self) -> set[str]:
        """The accounts that an entry names; "" if it has a channel of the operator's own."""
        return {
            *self.accounts,
            *(one.account for one in self.logins.values()),
            *(one.account for one in self.domains.values()),
            *(one.account for one in self.channels.values()),
        }

    def _add(self, entry: ConfigurationEntry | MoreAddresses) -> None:
        match entry:
            case AccountEntry():
                _put(self.accounts, entry.name, entry)
            case LoginEntry():
                _put(self.logins, entry.user, entry)
            case DomainEntry():
                name = _domain(entry)
                _put(self.domains, name, entry)
                if entry.addresses is not None:
                    self.addresses[name] = list(entry.addresses)
            case ChannelEntry():
                _put(self.channels, (entry.account, entry.name), entry)
            case MoreAddresses():
                name = _domain(entry)
                if name not in self.domains:
                    raise _wrong(entry, "has no entry before its addresses", "name it first")
                self.addresses.setdefault(name, []).extend(entry.addresses)


def read_entry(line: bytes) -> ConfigurationEntry | MoreAddresses:
    """Return the entry of a line of JSON. Raises AdminError, which repeats no value."""
    try:
        fields = read_json(line)
    except NameTwice as fault:
        raise AdminError(ErrorKind.INVALID, f"entry: {fault}", "write each field once") from None
    except (ValueError, RecursionError):
        raise AdminError(
            ErrorKind.INVALID, "entry: a line is not JSON", "write an object to a line"
        ) from None
    thing = fields.pop("thing", None) if isinstance(fields, dict) else None
    model = MODELS.get(thing) if isinstance(thing, str) else None
    if model is None:
        remedy = f"write an object whose thing is one of {', '.join(MODELS)}"
        raise AdminError(ErrorKind.INVALID, "entry: its thing is not known", remedy)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _malformed(str(thing), fields, error) from None


def spot(entry: ConfigurationEntry | MoreAddresses) -> str:
    """Return the place and the thing of an entry, as errors begin."""
    return f"{entry.place}: {entry.label}" if entry.place else entry.label


_UNKNOWN_FIELD: Final = "extra_forbidden"  # as pydantic names it


def _malformed(thing: str, fields: Mapping[str, Any], error: ValidationError) -> AdminError:
    found = error.errors(include_input=False, include_url=False)
    # A misspelled field comes first: it explains why another is missing.
    first = min(found, key=lambda one: one["type"] != _UNKNOWN_FIELD)
    name = str(fields.get("user" if thing == "login" else "name", ""))
    place = str(fields.get("place", ""))
    where = f"{place}: {thing} {name}" if place else f"{thing} {name}"
    key = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    if first["type"] == _UNKNOWN_FIELD:
        names = [one for one in MODELS[thing].model_fields if one != "place"]
        remedy = did_you_mean(key, names) or f"it has {', '.join(names)}"
        return AdminError(ErrorKind.INVALID, f"{where.strip()}: {key}: is not a setting", remedy)
    said = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    return AdminError(
        ErrorKind.INVALID, f"{where.strip()}: {key}: {said}", "see the reference for its form"
    )


def _put(entries: dict[Any, Any], key: object, entry: ConfigurationEntry) -> None:
    if key in entries:
        before = entries[key].place
        cause = f"is named twice, first at {before}" if before else "is named twice"
        raise _wrong(entry, cause, "name each record once")
    entries[key] = entry


def _domain(entry: DomainEntry | MoreAddresses) -> str:
    try:
        return domain_name(entry.name)
    except AdminError as error:
        raise _wrong(entry, error.error.removeprefix("domain: "), error.remedy) from None


def _wrong(entry: ConfigurationEntry | MoreAddresses, cause: str, remedy: str) -> AdminError:
    return AdminError(ErrorKind.INVALID, f"{spot(entry)}: {cause}", remedy)
