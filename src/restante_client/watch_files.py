"""Files that start a command at boot, when the network comes up, and at intervals."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from xml.sax.saxutils import escape

UNIT = "restante-client"
_LONGEST_MINUTES = 31 * 24 * 60  # between two runs of a task
_PROFILES = "Microsoft-Windows-NetworkProfile/Operational"
# Windows writes this event when a network is connected.
_NETWORK_UP = (
    f'<QueryList><Query Path="{_PROFILES}"><Select Path="{_PROFILES}">*[System[EventID=10000]]'
    "</Select></Query></QueryList>"
)
# Options that name secret files, with the names of the credentials.
_SECRET_OPTIONS = {
    "--password-file": "password",
    "--token-file": "token",
    "--certificate": "certificate",
    "--key": "key",
}


def systemd_service(command: Sequence[str]) -> str:
    """Return a service. Secret files become credentials: its user may not read them."""
    words, load = _with_credentials(command)
    return "\n".join(
        [
            f"# /etc/systemd/system/{UNIT}.service",
            "[Unit]",
            "Description=Fetch held mail from the backup MX",
            "Wants=network-online.target",
            "After=network-online.target postfix.service exim4.service",
            "",
            "[Service]",
            "Type=oneshot",
            f"ExecStart={' '.join(map(_systemd_word, words))}",
            *load,
            "# 75: mail is left, or the backup MX could not do it now. The timer tries again.",
            "SuccessExitStatus=75",
            "DynamicUser=yes",
            "NoNewPrivileges=yes",
            "ProtectHome=read-only",
        ]
    )


def systemd_timer(seconds: int) -> str:
    """Return the timer of that service: at boot, and at intervals."""
    return "\n".join(
        [
            f"# /etc/systemd/system/{UNIT}.timer",
            "[Unit]",
            "Description=Fetch held mail from the backup MX at boot and at intervals",
            "",
            "[Timer]",
            "OnBootSec=30s",
            f"OnUnitInactiveSec={seconds}s",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
    )


def network_manager_hook(command: Sequence[str]) -> str:
    """Return a dispatcher script, which NetworkManager runs when a connection changes.

    NetworkManager kills scripts that run for long, and lets their children run on.
    """
    return "\n".join(
        [
            "#!/bin/sh",
            f"# /etc/NetworkManager/dispatcher.d/50-{UNIT}, owned by root, mode 755",
            'case "$2" in',
            "    up|vpn-up|dhcp4-change|dhcp6-change) ;;",
            '    connectivity-change) [ "$CONNECTIVITY_STATE" = FULL ] || exit 0 ;;',
            "    *) exit 0 ;;",
            "esac",
            f"if [ -e /etc/systemd/system/{UNIT}.service ]; then",
            f"    exec systemctl --no-block start {UNIT}.service",
            "fi",
            f"{' '.join(map(shlex.quote, command))} </dev/null 2>&1 | logger -t {UNIT} &",
        ]
    )


def windows_task(command: Sequence[str], seconds: int) -> str:
    """Return a task for `schtasks /create /xml FILE`: at boot, and at intervals."""
    space = "http://schemas.microsoft.com/windows/2004/02/mit/task"
    return "\n".join(
        [
            '<?xml version="1.0"?>',
            f"<!-- schtasks /create /tn {UNIT} /xml {UNIT}.xml /ru SYSTEM -->",
            f'<Task version="1.2" xmlns="{space}">',
            *_windows_triggers(seconds),
            "  <Principals>",
            '    <Principal id="Author"><UserId>S-1-5-18</UserId></Principal>',
            "  </Principals>",
            "  <Settings>",
            "    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>",
            "    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>",
            "    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>",
            "    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>",  # none: `turn` has --limit
            "  </Settings>",
            *_windows_action(command),
            "</Task>",
        ]
    )


def _windows_triggers(seconds: int) -> list[str]:
    minutes = min(max(round(seconds / 60), 1), _LONGEST_MINUTES)
    return [
        "  <Triggers>",
        "    <BootTrigger>",
        "      <Enabled>true</Enabled>",
        f"      <Repetition><Interval>PT{minutes}M</Interval></Repetition>",
        "      <Delay>PT30S</Delay>",
        "    </BootTrigger>",
        "    <EventTrigger>",
        "      <Enabled>true</Enabled>",
        f"      <Subscription>{escape(_NETWORK_UP)}</Subscription>",
        "    </EventTrigger>",
        "  </Triggers>",
    ]


def _windows_action(command: Sequence[str]) -> list[str]:
    import subprocess  # noqa: PLC0415  heavy

    program, *words = command
    return [
        '  <Actions Context="Author">',
        "    <Exec>",
        f"      <Command>{escape(program)}</Command>",
        f"      <Arguments>{escape(subprocess.list2cmdline(words))}</Arguments>",
        "    </Exec>",
        "  </Actions>",
    ]


def _with_credentials(command: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the command with its secret files as credentials, and their lines in a unit."""
    words, lines = list(command), []
    for place, word in enumerate(words):
        name, mark, value = word.partition("=")
        if name not in _SECRET_OPTIONS:
            continue
        credential = _SECRET_OPTIONS[name]
        if mark and value.startswith("/"):
            words[place] = f"{name}=credential:{credential}"
        elif not mark and place + 1 < len(words) and words[place + 1].startswith("/"):
            value, words[place + 1] = words[place + 1], f"credential:{credential}"
        else:
            continue
        lines.append(f"LoadCredential={credential}:{value}")
    return words, lines


def _systemd_word(word: str) -> str:
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain and not set(plain) & set(" \t\"'\\;"):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
