"""Which nginx reads us, and how: a private one that we start, or the user's own that includes one file of ours.

A target is a value made once; it is the same whether that nginx runs at the moment or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import shell_line
from counterseal.files import read_file
from counterseal.nginx.parse import parse

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion

_UNIT = "nginx"
MAIN_FILE = "nginx.conf"
"""The file of a generation that a private nginx starts from."""
HTTP_FILE = "http.conf"
"""The file of a generation that the user's nginx includes in its ``http`` block."""
STREAM_FILE = "stream.conf"
"""The one that it includes in its ``stream`` block, where there are stream sites."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one nginx lives.

    ``conf`` is its main configuration, ``prefix`` what its relative paths start from, ``error_log`` None where it is no
    file. ``owned``: we start and stop it. ``include_file``: the one file of ours in the user's tree, if any; it
    stands in the ``http`` block. ``included``: the files of a generation that the user's nginx has to read.
    ``start``: the command that starts it.
    """

    binary: Path
    conf: Path
    prefix: Path
    pid_file: Path
    error_log: Path | None
    owned: bool
    start: str
    include_file: Path | None = None
    unit: str = _UNIT
    included: tuple[str, ...] = (HTTP_FILE,)


def private_target(base: Path, *, binary: Path) -> Target:
    """Return the nginx that runs from ``base`` alone, as any user: its files in ``base/run``, started by us."""
    run = base / "run"
    return Target(
        binary=binary,
        conf=base / "current" / MAIN_FILE,
        prefix=run,
        pid_file=run / "nginx.pid",
        error_log=run / "error.log",
        owned=True,
        start="counterseal nginx deploy",
    )


def running_target(
    binary: Path,
    version: NginxVersion,
    *,
    conf: Path | None,
    include_file: Path | None,
    unit: str,
    included: tuple[str, ...],
) -> Target:
    """Return the user's own nginx, run by hand or by systemd, from how it was built and what its configuration says.

    ``conf`` is needed only where it was started with ``-c``. Raises FileError, and InputError ``nginx.syntax`` when the
    configuration cannot be read.
    """
    prefix = Path(version.prefix)
    conf = conf or prefix / version.conf_path
    said: dict[str, str] = {}
    for directive in parse(read_file(conf), file=str(conf)).directives:
        if directive.arguments:
            said.setdefault(directive.name, directive.arguments[0])
    log = said.get("error_log", version.error_log_path)
    return Target(
        binary=binary,
        conf=conf,
        prefix=prefix,
        pid_file=prefix / said.get("pid", version.pid_path),
        error_log=None if log == "stderr" or log.startswith(("syslog:", "memory:")) else prefix / log,
        owned=False,
        start=start_command(binary, conf, usual=prefix / version.conf_path, unit=unit),
        include_file=include_file,
        unit=unit,
        included=included,
    )


def start_command(binary: Path, conf: Path, *, usual: Path, unit: str, root: Path = Path("/")) -> str:
    """Return what starts the user's nginx on this machine; ``usual``: the configuration that ``nginx`` means."""
    is_usual = conf == usual or unit != _UNIT
    if is_usual and Path(root, "run/systemd/system").is_dir():  # sd_booted(3)
        return f"systemctl start {unit}"
    if is_usual and Path(root, "etc/init.d", unit).exists():
        return f"service {unit} start"
    return shell_line(binary, "-c", conf)


def include_line(base: Path, name: str = HTTP_FILE) -> str:
    """Return the line that makes the user's nginx read a file of ours.

    It is a pattern on purpose: nginx refuses to start when a file named outright is missing, and takes a pattern that
    matches nothing, so whatever happens to our directory the user's nginx still starts.
    """
    pattern = f"{base}/current/{name[:-1]}[{name[-1]}]"
    return f'include "{pattern}";' if re.search(r"[\s;{}\"']", pattern) else f"include {pattern};"


def where_to_include(base: Path, name: str) -> str:
    """Return which line to add to the user's configuration, and where."""
    line = include_line(base, name)
    if name == HTTP_FILE:
        return f"add this line to its http block: {line}"
    return f"add this at the top level, or the line inside to your stream block: stream {{ {line} }}"
