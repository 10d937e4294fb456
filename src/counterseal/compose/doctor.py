"""The doctor's round: configuration, CA, machine, nginx, proof; each answer a line, and no fault hides another."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.authority.doctor.ca import check_ends, check_keys, check_store
from counterseal.authority.doctor.check import DEPLOY, RESTORE, Check, State, attention, broken, failed, looked, ok
from counterseal.authority.doctor.imported import check_imported
from counterseal.authority.leasing import has_service
from counterseal.compose.home import check_clock, open_authority, settings_of
from counterseal.compose.place import has_store, store_path
from counterseal.config.settings import Settings
from counterseal.errors import CountersealError, shell_line
from counterseal.findings import Severity
from counterseal.nginx.target import MAIN_FILE
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from counterseal.authority.ground import Ground
    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite

TIMER, SERVICE = "counterseal-refresh.timer", "counterseal-refresh.service"
UNITS = Path("/etc/systemd/system")
CRON = (Path("/etc/crontab"), Path("/etc/cron.d"), Path("/var/spool/cron/crontabs"))
_SECONDS = 5
_UNTOLD = "which one it is stands in counterseal.toml, where it cannot be read"
_MEND_FIRST = "correct counterseal.toml first"
_INSTALL = "counterseal timer install"
_SET_CLOCK = "timedatectl set-ntp true"


def examine(
    home: Path, passphrase: Callable[[], bytes | None], *, site: str | None, prove: bool, deep: bool
) -> tuple[Check, ...]:
    """Return every line about the CA in ``home`` and its sites, or about one ``site`` only.

    ``prove`` tries the sites with real handshakes, ``deep`` reads a store of any size. A faulty configuration hides
    nothing but the proof: what can be read of it counts. Raises NotFoundError ``site.unknown``.
    """
    checks = [_read(home)]
    is_whole = checks[0].state is not State.BROKEN
    settings = _settings(home, is_whole=is_whole)
    served = settings.chosen(site) if is_whole else _named(settings, site)
    if not is_whole and settings.store is None and has_store(home) and not store_path(home).is_file():
        return (
            *checks,
            attention("store", "", f"not looked at: {_UNTOLD}", _MEND_FIRST),
            *looked("timer", _timer, _INSTALL),
        )
    try:
        authority = open_authority(home, passphrase, settings=settings)
    except CountersealError as error:
        return (*checks, failed("store", error, RESTORE), *looked("timer", _timer, _INSTALL))
    prove = prove and is_whole
    with authority:
        checks += _ca(authority, served, deep=deep, unlock=prove and bool(served))
        checks += looked("timer", partial(_timer, authority, has_sites=bool(served) or not is_whole), _INSTALL)
        if served or (not is_whole and Path(home, "nginx", "current").exists()):
            checks += _nginx(authority, home, settings, served, prove=prove)
        elif not settings.sites and Path(home, "nginx", "current").exists():
            checks += looked("generation", partial(_unnamed, home, settings), DEPLOY)
    return tuple(checks)


def _read(home: Path) -> Check:
    edit = f"{shell_line('edit', home / 'counterseal.toml')}, then: counterseal doctor"
    (line,) = looked("configuration", partial(_configuration, home), edit)
    return line if line.mend in {None, edit} else replace(line, mend=f"{edit}; {line.mend}")


def _configuration(home: Path) -> Iterator[Check]:
    settings = settings_of(home)
    settings.require()
    named = f"{settings.source}: {counted(len(settings.sites), 'site')}" if settings.source else "defaults, no site"
    yield ok("configuration", "", named)


def _settings(home: Path, *, is_whole: bool) -> Settings:
    """Return what the file says, of a faulty one what can be read, and of one that cannot be opened nothing."""
    try:
        settings = settings_of(home)
    except CountersealError:
        return Settings()
    return settings if is_whole else settings.readable()


def _named(settings: Settings, site: str | None) -> tuple[ServedSite, ...]:
    return tuple(one for one in settings.sites if site in {None, one.site.name})


def _ca(authority: Authority, served: Sequence[ServedSite], *, deep: bool, unlock: bool) -> Iterator[Check]:
    yield from looked("store", partial(check_store, authority, deep=deep), RESTORE)
    yield from looked("key", partial(check_keys, authority, unlock=unlock), RESTORE)
    yield from looked("ca", partial(check_ends, authority, served), RESTORE)
    yield from looked("imported", partial(check_imported, authority, deep=deep), RESTORE)
    yield from looked("clock", partial(_clock, authority), _SET_CLOCK)


def _clock(authority: Authority) -> Iterator[Check]:
    check_clock(authority.store)
    synchronized = _answer("timedatectl", "show", "--property", "NTPSynchronized", "--value")
    shown = f"{authority.clock():%Y-%m-%d %H:%M:%S} UTC"
    if synchronized == "no":
        yield attention("clock", "", f"{shown}, kept right by nobody", _SET_CLOCK)
    else:
        yield ok("clock", "", f"{shown}, synchronized" if synchronized == "yes" else f"{shown}, not behind the log")


def _timer(authority: Authority | None = None, *, has_sites: bool = False) -> Iterator[Check]:
    """Say who calls refresh; without a site and beside a service, which keeps the lists fresh, nobody has to."""
    if _answer("systemctl", "is-active", TIMER) == "active":
        if _answer("systemctl", "is-failed", SERVICE) == "failed":
            told = f"{TIMER} is active, but refresh failed when it ran last; why: journalctl -u {SERVICE}"
            yield broken("timer", "", told, f"systemctl start {SERVICE}")
        else:
            yield ok("timer", "", f"{TIMER} is active")
        return
    lines = [str(path) for path in _cron_files() if _calls_refresh(path)]
    if lines:
        yield ok("timer", "", f"cron calls counterseal refresh: {lines[0]}")
    elif (UNITS / TIMER).exists():
        yield attention("timer", "", f"{TIMER} is not active", f"systemctl enable --now {TIMER}")
    elif authority is None or not has_service(authority):
        yield attention("timer", "", "nothing calls counterseal refresh: lists and certificates grow old", _INSTALL)
    elif has_sites:
        told = "a running service signs the lists, but nothing calls counterseal refresh: what nginx has here grows old"
        yield attention("timer", "", told, _INSTALL)
    else:
        yield ok("timer", "", "a running service signs the lists, and there is no site to refresh")


def _cron_files() -> Iterator[Path]:
    for path in CRON:
        with suppress(OSError):  # the tables of other users are not for everybody to see
            yield from sorted(path.iterdir()) if path.is_dir() else [path]


def _calls_refresh(path: Path) -> bool:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return False
    return any("counterseal" in line and " refresh" in line for line in text.splitlines() if not line.startswith("#"))


def _nginx(
    authority: Authority, home: Path, settings: Settings, served: Sequence[ServedSite], *, prove: bool
) -> Iterator[Check]:
    from counterseal.authority.doctor.served import check_served  # noqa: PLC0415 - only where sites are
    from counterseal.authority.doctor.sites import UNFINISHED, check_nginx, check_proof  # noqa: PLC0415 - only where sites are
    from counterseal.authority.doctor.upstreams import check_upstreams  # noqa: PLC0415 - same
    from counterseal.compose.ground import open_ground  # noqa: PLC0415 - same

    owned = Path(home, "nginx", "current", MAIN_FILE)
    if not served and settings.nginx.config is None and not owned.is_file():
        yield attention("nginx", "", f"not looked at: {_UNTOLD}", _MEND_FIRST)
        return
    try:
        ground = open_ground(home, settings)
    except CountersealError as error:
        yield failed("nginx", error, DEPLOY)
        return
    lines = looked("nginx", partial(check_nginx, authority, ground, settings.source), DEPLOY)
    yield from lines
    yield from looked("served", partial(check_served, ground, served), DEPLOY)
    yield from looked("upstream", partial(check_upstreams, ground, served), DEPLOY)
    yield from looked("lint", partial(_lint, ground), DEPLOY)
    if prove and all(line.mend != UNFINISHED for line in lines):
        yield from looked("proof", partial(check_proof, authority, ground, served), DEPLOY)


def _unnamed(home: Path, settings: Settings) -> Iterator[Check]:
    from counterseal.authority.doctor.sites import check_unnamed  # noqa: PLC0415 - only where sites are
    from counterseal.compose.ground import open_ground, settings_in_force  # noqa: PLC0415 - same

    last = settings_in_force(home) or settings
    ground = open_ground(home, last.with_sound_sites())
    yield from check_unnamed(ground, [one.site.name for one in last.with_sound_sites().sites])


def _lint(ground: Ground) -> Iterator[Check]:
    from counterseal.compose.linting import lint_configuration  # noqa: PLC0415 - only where sites are

    conf = ground.place.nginx.target.conf
    if not conf.is_file():
        return
    result = lint_configuration(conf, text=None, version=None, directory=None, with_files=True).result
    found = sorted(result.at_or_above(Severity.LOW), key=lambda one: -one.finding.severity)
    if not found:
        yield ok("lint", "", f"nothing to object to in {conf}")
        return
    worst = found[0].finding
    line = broken if worst.severity >= Severity.HIGH else attention
    told = f"{counted(len(found), 'finding')}, the worst {worst.severity.name.lower()}: {worst.message}"
    fixed = result.fixed_by()
    is_fixable = all(one in fixed for one in found)
    yield line("lint", "", told, _mend_lint(ground, conf, is_fixable=is_fixable))


def _mend_lint(ground: Ground, conf: Path, *, is_fixable: bool) -> str:
    """Return what mends all findings: a deploy where every file is ours, else the linter where it knows how."""
    if ground.place.nginx.target.owned:
        return DEPLOY
    command = shell_line("counterseal", "nginx", "lint", conf)
    return f"{command} --fix --write && {DEPLOY}" if is_fixable else command


def _answer(*command: str) -> str | None:
    """Return what a program of the machine says in its first line; None where it is missing or does not answer."""
    if shutil.which(command[0]) is None:
        return None
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip().partition("\n")[0]
