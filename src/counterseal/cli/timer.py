"""``counterseal timer``: have ``refresh`` called, by systemd where it runs, else by cron."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.authority.publish import signing_cas
from counterseal.cli.common import DIRECTORY, Commands, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.program import program
from counterseal.cli.room import require_removable
from counterseal.cli.unit_words import unit_command
from counterseal.errors import FileError, InputError
from counterseal.files import preview, write_fileset
from counterseal.fileset import FileSet, PlannedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = Path("/etc/systemd/system")
SYSTEMD_RUNS = Path("/run/systemd/system")  # sd_booted(3)
CRON_FILE = "/etc/cron.d/counterseal"
TIMER = "counterseal-refresh.timer"
SERVICE = "counterseal-refresh.service"
_SERVICE_TEXT = """\
[Unit]
Description=Counterseal: renew what is due, refresh the revocation lists, deploy and prove
After=network.target nginx.service

[Service]
Type=oneshot
ExecStart={command}
"""
_TIMER_TEXT = """\
[Unit]
Description=Counterseal refresh, every six hours

[Timer]
OnCalendar=*-*-* 00/6:00:00
RandomizedDelaySec=30min
Persistent=true

[Install]
WantedBy=timers.target
"""


@click.group(cls=Commands, epilog="\b\nExamples:\n  counterseal timer install\n  counterseal timer remove")
def timer() -> None:
    """Have refresh called by systemd or cron."""


@timer.command(epilog="\b\nExamples:\n  counterseal timer install --passphrase-file /etc/counterseal/passphrase")
@click.option("--unit-dir", type=DIRECTORY, help="Only write the units here, and start nothing.")
@dry_run_option
@common
def install(run: Run, *, unit_dir: Path | None, dry_run: bool) -> None:
    """Set up a systemd timer; where systemd does not run, print the line for cron.

    Either has counterseal refresh run every six hours.
    """
    _warn(run)
    if unit_dir is None and not SYSTEMD_RUNS.is_dir():
        line = _cron_line(run)
        if dry_run:
            acts = [f"write nothing, as systemd does not run here, and print the line for {CRON_FILE}"]
            show_dry_run(run, acts=acts, document={"systemd": False, "cron": line})
            return
        run.show({"systemd": False, "cron": line}, f"systemd does not run here; put this into {CRON_FILE}:\n{line}")
        return
    service = _SERVICE_TEXT.format(command=unit_command(_command(run)))
    files = FileSet((PlannedFile(SERVICE, service.encode()), PlannedFile(TIMER, _TIMER_TEXT.encode())))
    if dry_run:
        document = {"systemd": True, "started": unit_dir is None}
        acts = [] if unit_dir else [f"start {TIMER}, now and at every boot"]
        show_dry_run(run, acts=acts, files=preview(unit_dir or UNITS, files), document=document)
        return
    paths = write_fileset(unit_dir or UNITS, files)
    lines = [f"wrote {path}" for path in paths]
    if unit_dir is None:
        _systemctl("daemon-reload")
        _systemctl("enable", "--now", TIMER)
        lines.append(f"started {TIMER}: every six hours\nnext: systemctl list-timers {TIMER}")
    run.show({"systemd": True, "started": unit_dir is None, "files": [str(path) for path in paths]}, "\n".join(lines))


@timer.command(epilog="\b\nExamples:\n  counterseal timer remove --dry-run")
@click.option("--unit-dir", type=DIRECTORY, help="Only remove the units from here, and stop nothing.")
@dry_run_option
@common
def remove(run: Run, *, unit_dir: Path | None, dry_run: bool) -> None:
    """Stop the systemd timer and remove its units; a line of cron is yours to remove."""
    files = [path for name in (TIMER, SERVICE) if (path := (unit_dir or UNITS) / name).exists()]
    runs = bool(files) and unit_dir is None and SYSTEMD_RUNS.is_dir()
    if dry_run:
        require_removable(files)
        acts = [*([f"stop {TIMER}"] if runs else []), *(f"remove {path}" for path in files)]
        acts = acts or [f"remove nothing, as there is no timer in {unit_dir or UNITS}"]
        show_dry_run(run, acts=acts, document={"stopped": runs})
        return
    if runs and UNITS / TIMER in files:
        _systemctl("disable", "--now", TIMER)
    for path in files:
        path.unlink()
    if runs:
        _systemctl("daemon-reload")
    lines = [f"removed {path}" for path in files] or [f"there is no timer in {unit_dir or UNITS}"]
    run.show({"stopped": runs, "files": [str(path) for path in files]}, "\n".join(lines))


@timer.command("print", epilog=f"\b\nExamples:\n  counterseal timer print >> {CRON_FILE}")
@common
def print_(run: Run) -> None:
    """Print the line for /etc/cron.d, where refresh is called as the user who asks."""
    _warn(run)
    line = _cron_line(run)
    run.show({"cron": line}, line)


def _warn(run: Run) -> None:
    """Say before the first night that nobody will be there to type a passphrase."""
    if run.passphrase_file is not None:
        return
    with run.authority() as authority:
        if any(authority.keystore.is_encrypted(record.key_id) for record in signing_cas(authority)):
            run.warn(
                "the CA's keys are encrypted, and a timer can type no passphrase",
                "hint: pass --passphrase-file FILE, mode 0600",
            )


def _command(run: Run) -> list[str]:
    words = [*program(), "refresh", "--home", str(run.home.absolute())]
    return [*words, "--passphrase-file", str(run.passphrase_file.absolute())] if run.passphrase_file else words


def _cron_line(run: Run) -> str:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name  # root's refresh would leave files that the home's owner cannot read
    except KeyError as error:  # as in a container
        told = f"cron calls a user by name, and this one has none: {os.geteuid()}"
        raise InputError(
            "timer.user", told, hint="have whatever calls programs here call: counterseal refresh"
        ) from error
    return f"17 */6 * * * {user} {shlex.join(_command(run))}".replace("%", r"\%")  # crontab(5): % ends the line


def _systemctl(*words: str) -> None:
    ran = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        told: Sequence[str] = ran.stderr.strip().splitlines() or ["no reason given"]
        raise FileError("timer.systemctl", f"systemctl {' '.join(words)} failed: {told[-1]}", hint="run it as root")
