"""Programs at a primary that ask Restante to release mail (ETRN, RFC 1985).

Each function logs in over TLS, asks for `targets`, and returns how the program ended. The server's
certificate is checked if the `Server` names its authority. Each function describes the program's
behavior on the wire, as seen in the versions of Debian 12.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.peers.programs import Ended, run
from tests.acceptance.peers.server import Login, Server, Tls


def fetchmail_asks(server: Server, login: Login | None, *targets: str) -> Ended:
    """Ask with `fetchmail --protocol ETRN`, all targets over one connection.

    AUTH: CRAM-MD5 before PLAIN (at once, with its initial response) before LOGIN, if offered. After
    a failed AUTH it still sends ETRN. It goes on to the next one after 250 and 253 only: the first
    251 ends it too, as if all were well.
    Its certificate check needs a common name in the subject, and a host name to connect to.
    Exit codes: 0 for 250, 251, 253; 2 TLS or connection; 3 for 459. 4 is for 458, 500, 501, 530 (so
    for a wrong password too), or if ETRN is not announced.
    """
    assert server.tls is Tls.IMPLICIT, "in ETRN mode fetchmail knows implicit TLS only"
    with TemporaryDirectory() as directory:
        settings = Path(directory) / "fetchmailrc"
        settings.touch(mode=0o600)  # fetchmail reads no file that others can read
        settings.write_text(_fetchmail_settings(server, login, *targets))
        # Without --pidfile a fetchmail of root's is one for the whole machine.
        return run(
            "fetchmail", "-vv", "--fetchmailrc", settings, "--pidfile", Path(directory) / "pid"
        )


def _fetchmail_settings(server: Server, login: Login | None, *targets: str) -> str:
    domains = " ".join(f'"{target}"' for target in targets)
    who = f'esmtpname "{login.user}" esmtppassword "{login.password}"' if login else ""
    trust = f'sslcertck sslcertfile "{server.authority}"' if server.authority else "no sslcertck"
    return f"""\
poll "{server.host}" service {server.port} protocol ETRN {who}
    user "unused" fetchdomains {domains} ssl {trust}
"""


def curl_asks(server: Server, login: Login | None, target: str, *options: str) -> Ended:
    """Ask with `curl --request "ETRN target"`; the text of the reply is in the output.

    AUTH: CRAM-MD5 before PLAIN before LOGIN, if offered. `--login-options AUTH=PLAIN` chooses, and
    `--sasl-ir` sends PLAIN's response at once instead of after 334. It asks without AUTH if none is
    announced, and whether ETRN is or not. After a failed AUTH it disconnects without QUIT.
    Exit codes: 0 for every 2xx; 7 no connection; 8 for 4xx and 5xx; 60 the certificate; 64 no
    STARTTLS; 67 AUTH failed.
    """
    scheme = "smtps" if server.tls is Tls.IMPLICIT else "smtp"
    insist = ["--ssl-reqd"] if server.tls is Tls.STARTTLS else []
    trust = ["--cacert", str(server.authority)] if server.authority else ["--insecure"]
    who = ["--user", f"{login.user}:{login.password}"] if login else []
    url = f"{scheme}://{server.host}:{server.port}/primary.example"
    return run(
        "curl",
        "--verbose",
        "--silent",
        *insist,
        *trust,
        *who,
        *options,
        "--request",
        f"ETRN {target}",
        url,
    )


def msmtp_asks(
    server: Server, login: Login | None, target: str, *, mechanism: str = "plain"
) -> Ended:
    """Ask with `msmtp --rmqs`, by a mechanism (plain, cram-md5, login, …; on: its choice, PLAIN).

    PLAIN goes at once, with its initial response. After a refusal it hangs up without QUIT.
    Exit codes: 0 for 250, 251, 253; 65 for 500, 501. 69 is for 458, 459, TLS, and if ETRN or the
    mechanism is not announced. 75 no connection; 76 for 530; 77 AUTH failed.
    """
    with TemporaryDirectory() as directory:
        settings = Path(directory) / "msmtprc"
        settings.touch(mode=0o600)  # msmtp takes no password from a file that others can read
        settings.write_text(_msmtp_settings(server, login, mechanism))
        return run("msmtp", "--debug", f"--file={settings}", f"--rmqs={target}")


def _msmtp_settings(server: Server, login: Login | None, mechanism: str) -> str:
    settings = {
        "account": "default",
        "host": server.host,
        "port": str(server.port),
        "domain": "primary.example",
    }
    settings |= {"tls": "off"} if server.tls is Tls.NONE else _msmtp_tls(server)
    if login:
        settings |= {"auth": mechanism, "user": login.user, "password": login.password}
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _msmtp_tls(server: Server) -> dict[str, str]:
    starttls = "on" if server.tls is Tls.STARTTLS else "off"
    trust = (
        {"tls_trust_file": str(server.authority)} if server.authority else {"tls_certcheck": "off"}
    )
    return {"tls": "on", "tls_starttls": starttls, **trust}
