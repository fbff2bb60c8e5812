"""A zone of DNS in memory: the records that a test wants."""

from dataclasses import dataclass, field

from restante.network.dns_records import DnsRecordSet


@dataclass
class Zone:
    """Answers like name servers, and notes the questions."""

    known: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # name, type, values
    failing: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    is_secure: bool = False
    aliases: dict[str, str] = field(default_factory=dict)

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        self.asked.append((name, kind))
        if name in self.failing:
            return DnsRecordSet(failure="no name server answered in time")
        values = self.known.get(name, {}).get(kind, ())
        alias_of = self.aliases.get(name, "")
        return DnsRecordSet(tuple(values), 300, self.is_secure, alias_of=alias_of)
