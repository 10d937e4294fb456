"""Linting an nginx configuration by its size, beside crossplane's parse and gixy-ng in one run.

usage: python benchmarks/nginx_lint.py [--lines 2000 20000] [--rounds 5] [--json FILE]

Whole processes, median wall time, taking turns. crossplane only parses and looks at contexts and argument counts;
gixy-ng runs its own rules, few of which are about TLS. Both bring a module called crossplane, so each gets an
environment of its own below a temporary directory, from the package index that pip is set up for.

The configuration has a server of 20 lines for every 20 lines, a third of them with optional verification, a map by
which each decides, identity headers, and a regular-expression location: nothing that a rule may pass over early. What
bounds us: about half of the time above the start of Python is reading words and making the tree (a regular expression
a word), the rest are the rules, each of which walks the tree once; both grow with the lines, and no rule compares
servers with each other pair by pair.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from functools import partial
from typing import TYPE_CHECKING

from commands import take_turns
from place import PROGRAM, new_place
from table import Table, new_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEERS = {"crossplane": "crossplane==0.5.8", "gixy": "gixy-ng==0.2.59"}
GOALS = {20_000: "2,000 ms"}
SERVER = """\
    server {{
        listen 443 ssl;
        server_name s{number}.test www.s{number}.test;
        ssl_certificate /etc/x/{number}.pem;
        ssl_certificate_key /etc/x/{number}.key;
        ssl_client_certificate /etc/x/ca.pem;
        ssl_verify_client {verify};
        if ($user = "") {{ return 403; }}
        location / {{
            proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
            proxy_set_header X-SSL-Client-S-DN $ssl_client_s_dn;
            proxy_pass http://127.0.0.1:{port};
        }}
        location ~ \\.php$ {{
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass 127.0.0.1:9000;
        }}
        error_page 404 /404.html;
        error_page 495 496 =403 /403.html;
    }}
"""


def write_configuration(lines: int) -> str:
    """Return a configuration of about that many lines."""
    return "".join(_blocks(lines))


def _blocks(lines: int) -> Iterator[str]:
    yield "error_log /var/log/nginx/error.log info;\nevents {}\nhttp {\n    ssl_session_tickets off;\n"
    yield '    map "$ssl_client_verify:$ssl_client_s_dn" $user { default ""; "SUCCESS:CN=alice" alice; }\n'
    for number in range(lines // 20):
        yield SERVER.format(number=number, verify="optional" if number % 3 else "on", port=9000 + number % 100)
    yield "}\n"


def install(place: Path, package: str) -> Path:
    """Return the directory of the programs of an environment with nothing but one package."""
    directory = place / package.partition("=")[0]
    venv.create(directory, with_pip=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    subprocess.run([str(directory / "bin" / "python"), "-m", "pip", "install", *quiet, package], check=True)
    return directory / "bin"


def run(command: tuple[str | Path, ...], _: int) -> None:
    """Run a linter to its end; findings are no failure, and bytecode is cached, as it is everywhere after the first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, env=environment)
    assert done.returncode in {0, 1, 3}, done.stderr.decode(errors="replace")[-500:]


def main() -> None:
    """Measure every size, and print the table."""
    parser = new_arguments("nginx lint beside crossplane and gixy-ng")
    parser.add_argument("--lines", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    table = Table("nginx_lint")
    with new_place("nginx-lint") as place:
        peers = {name: install(place, package) for name, package in PEERS.items()}
        for lines in arguments.lines:
            conf = place / f"{lines}.conf"
            conf.write_text(write_configuration(lines))
            commands: dict[str, tuple[str | Path, ...]] = {
                "crossplane parse": (peers["crossplane"] / "crossplane", "parse", conf),
                "gixy-ng": (peers["gixy"] / "gixy", conf),
                "counterseal nginx lint": (PROGRAM, "nginx", "lint", "--no-files", conf),
                "Python alone": (sys.executable, "-c", "pass"),
            }
            times = take_turns(arguments.rounds, {who: partial(run, words) for who, words in commands.items()})
            with table.job(f"{conf.read_text().count(chr(10)):,} lines", unit="ms", goal=GOALS.get(lines, "")):
                for who, value in times.items():
                    table.row(who, value)
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
