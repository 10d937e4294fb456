"""The systemd unit of ``counterseal serve``, closed as far as the service can work in it.

It needs its home, the network, and one privilege: a port below 1024. What else systemd can take away is taken away;
``systemd-analyze security`` says what is left.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.cli.unit_words import unit_command, unit_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAME = "counterseal"

_TEXT = """\
# The service, closed in. What `counterseal serve --print-unit` prints, with its own paths.
[Unit]
Description=Counterseal: the CA as a service
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=notify
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# 2: its passphrase or its configuration is wrong, such as where the store was before a move: no restart mends that.
RestartPreventExitStatus=2
TimeoutStartSec=120
TimeoutStopSec=45
WatchdogSec=60
LimitNOFILE=65536

# The passphrase of the CA keys, for this process alone; leave the line out where they are not encrypted.
{credential}
User={name}
Group={name}
{state}
RuntimeDirectory={name}
UMask=0077

# Ports below 1024, and no other privilege.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
RestrictSUIDSGID=yes

ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RemoveIPC=yes

RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


def unit_text(program: Sequence[str], home: Path, passphrase_file: Path | None, *, code: Iterable[Path] = ()) -> str:
    """Return the unit that runs this program on the CA in ``home``; a passphrase becomes a credential.

    ``code`` is what the program reads besides: where any of it, or the home, lies under /home or /root, these stay
    visible to the service.
    """
    command = unit_command([*program, "serve", "--home", str(home)])
    of_state = home.parent.as_posix() == "/var/lib" and ":" not in home.name  # systemd links to a name behind one
    file = passphrase_file or "/etc/counterseal/passphrase"
    credential = f"LoadCredential={NAME}-passphrase:{file}".replace("%", "%%")
    hidden = any(word.startswith(("/home/", "/root/")) for word in [*program, f"{home}/", *map(str, code)])
    return _TEXT.format(
        command=command,
        credential=credential,
        name=NAME,
        state=f"StateDirectory={unit_word(home.name)}\nStateDirectoryMode=0711"
        if of_state
        else f"ReadWritePaths={unit_word(str(home))}",
        protect_home="read-only" if hidden else "yes",
    )


def code_read(program: Sequence[str]) -> tuple[Path, ...]:
    """Return what runs when this program is called: its file, this package, and the interpreter behind every link."""
    return Path(program[0]), Path(__file__), Path(sys.executable), Path(sys.executable).resolve()


def closed_to_others(paths: Iterable[Path]) -> Path | None:
    """Return the first directory above these paths that another user may not enter, or None."""
    above = (directory for path in paths for directory in reversed(path.parents))
    return next((directory for directory in above if not directory.stat().st_mode & stat.S_IXOTH), None)
