"""Whether primaries answer, as people see it: probes of a real server, over a restart."""

from __future__ import annotations

import re
from typing import Final

import httpx

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.sink import SmtpSink

MORE: Final = """
[presence]
pause = 5
"""
QUICK: Final = {"probe_pause": 0.2, "longest_probe_pause": 0.5}


def test_a_primary_answers_goes_away_and_comes_back() -> None:
    with Installation(more=MORE, delivery=QUICK) as restante, SmtpSink() as sink:
        restante.hosts("alpha.example", at(sink))
        restante.hosts("off.example", at(sink), "--probe", "off", account="beta")
        sink.start()
        restante.start()

        def status(domain: str = "alpha.example") -> str:
            return restante.do("status", domain)

        eventually(lambda: re.search(r"answers \(\d+s ago\)", status()), what="it to answer")
        sink.stop()
        eventually(lambda: "away since" in status(), what="it to go away")
        assert re.search(r"away since \d\d:\d\dZ \(Connection refused\)", status())
        [away] = restante.events("primary-away")
        assert (away["account"], away["domains"]) == ("alpha", ["alpha.example"])
        assert restante.events("delivery-attempt") == []

        since = restante.shown("domain", "show", "alpha.example")["primary"]["since"]
        restante.stop()
        restante.start()
        eventually(lambda: "away since" in status(), what="it to be seen away again")
        primary = restante.shown("domain", "show", "alpha.example")["primary"]
        assert primary["since"] == since
        assert len(restante.events("primary-away")) == 1

        sink.start()
        eventually(lambda: "answers" in status(), what="it to come back")
        shown = restante.do("domain", "uptime", "alpha.example")
        assert "outages" in shown
        assert re.search(r"answered +\d+\.\d\d% of", shown)
        transport = httpx.HTTPTransport(uds=str(restante.socket))
        with httpx.Client(transport=transport, base_url="http://restante") as client:
            view = client.get("/v1/domains/alpha.example/uptime").json()
        assert [one["seen"] for one in view["changes"]] == ["up", "away", "up"]
        assert view["outages"] == 1
        assert restante.shown("domain", "uptime", "off.example")["changes"] == []
