"""Lint every nginx configuration that packages of Debian ship: no rule may fire on one that is right.

usage: python scripts/lint_debian.py [DIRECTORY]     (apt-get fetches some 40 MB, or DIRECTORY has the packages)

Each file is given back octet for octet, and linted by itself and as a site of Debian's own nginx.conf, as an old and a
new nginx. Files that it names are looked for; on this machine most are missing, which is said of none as a fault. What
is found besides stands in KNOWN with its reason; the exit code is 1 where anything else is, or one of these no more.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.gather import gather_files
from counterseal.nginx.parse import parse
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.tree import render_tree
from counterseal.nginx.version import named_version

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = [
    "acmetool", "fcgiwrap", "gunicorn-examples", "lacme", "ledgersmb", "lemonldap-ng-handler",
    "liblemonldap-ng-manager-perl", "liblemonldap-ng-portal-perl", "mailman3-web", "munin", "nginx-common",
    "nginx-doc", "phpsysinfo", "python3-certbot-nginx", "radicale", "redmine", "rss-bridge", "rt4-fcgi", "rt5-fcgi",
    "samizdat", "searx", "sugarplum", "tryton-server-nginx", "wordpress", "zabbix-frontend-php", "zoneminder",
    "libnginx-mod-http-auth-pam", "libnginx-mod-http-brotli-filter", "libnginx-mod-http-brotli-static",
    "libnginx-mod-http-cache-purge", "libnginx-mod-http-dav-ext", "libnginx-mod-http-echo",
    "libnginx-mod-http-fancyindex", "libnginx-mod-http-geoip", "libnginx-mod-http-geoip2",
    "libnginx-mod-http-headers-more-filter", "libnginx-mod-http-image-filter", "libnginx-mod-http-js",
    "libnginx-mod-http-lua", "libnginx-mod-http-memc", "libnginx-mod-http-modsecurity", "libnginx-mod-http-ndk",
    "libnginx-mod-http-perl", "libnginx-mod-http-set-misc", "libnginx-mod-http-srcache-filter",
    "libnginx-mod-http-subs-filter", "libnginx-mod-http-uploadprogress", "libnginx-mod-http-upstream-fair",
    "libnginx-mod-http-xslt-filter", "libnginx-mod-mail", "libnginx-mod-nchan", "libnginx-mod-rtmp",
    "libnginx-mod-stream", "libnginx-mod-stream-geoip", "libnginx-mod-stream-geoip2", "libnginx-mod-stream-js",
]  # fmt: skip
_FILES = re.compile(
    r"""etc/nginx/(?!unicode\.mapping|modsecurity).+
    | etc/[^/]+/[^/]*nginx[^/]*\.conf
    | usr/share/nginx/modules-available/[^/]+\.conf
    | usr/share/doc/nginx/examples/(?!nginx_modsite)[^/]+
    | usr/share/doc/(?!nginx/)[^/]+/examples/(?:[^/]*nginx[^/]*|nginx/(?!munin-cgi)(?:.+/)?[^/]+)
    | usr/share/doc/rt\d-fcgi/examples/request-tracker\d\.conf
    | usr/share/(?:ledgersmb/conf/nginx-[^/]+|tryton-server/default/[^/]+)\.conf
    | usr/lib/python3/dist-packages/certbot_nginx/_internal/tls_configs/[^/]+\.conf""",
    re.VERBOSE,
)
"""Paths in packages; ModSecurity and Munin have files of their own there, and the examples of nginx a script."""
SITE = "site"
KNOWN = {
    (SITE, "tls-legacy-protocols"): "as one of these two",
    ("virtual_hosts", "tls-legacy-protocols"): "offers SSLv3 and TLSv1, as was usual when it was written",
    ("nginx.conf", "tls-legacy-protocols"): "Debian 12 offers TLSv1 and TLSv1.1 to every site that speaks TLS",
    ("nginx-travis.conf", "nginx.syntax"): "its http block is never closed: a template, to be continued",
    ("samizdat.conf", "nginx.syntax"): "its server in an upstream is not ended by a semicolon",
    ("samizdat", "nginx.include_missing"): "includes another example, from where the administrator is to put it",
}
VERSIONS = ("1.22.1-9+deb12u11", "1.31.5")
_OF_MAIN = re.compile(r"^\s*(?:load_module|events|http|mail|stream)\b", re.MULTILINE)
_SERVER = re.compile(r"^\s*server\b[^;]*\{", re.MULTILINE)


def is_configuration(path: str) -> bool:
    """Whether a path, relative to the root directory, is one of a configuration."""
    return _FILES.fullmatch(path) is not None


def find_faults(path: Path, root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (file name, code, message) of what is found in a file by itself, and as a site of ``etc/nginx`` there."""
    text = _read(path)
    try:
        if render_tree(parse(text, file=str(path))) != text:
            yield path.name, "round-trip", "is not given back as it is"
        yield from _linted(path, {str(path): _within(text, root)}, root)
        if not _OF_MAIN.search(text):
            main, site = root / "etc/nginx/nginx.conf", root / "etc/nginx/sites-enabled" / SITE
            whole = text if _SERVER.search(text) else f"server {{\n{text}\n}}"
            yield from _linted(
                main, {str(one): _within(of, root) for one, of in ((site, whole), (main, _read(main)))}, root
            )
    except InputError as error:
        yield path.name, error.code, error.message


def _linted(conf: Path, overlay: dict[str, str], root: Path) -> Iterator[tuple[str, str, str]]:
    whole = read_configuration(conf, directory=root / "etc/nginx", overlay=overlay)
    files = gather_files(whole.tree, root / "etc/nginx")
    for version in VERSIONS:
        model = build(whole.tree, version=named_version(version), now=datetime.now(UTC), files=files)
        for found in lint(model, whole.texts).found:
            if found.rule.code != "file-missing":
                yield Path(found.place.file).name, found.rule.code, f"{found.place}: {found.finding.message}"


def _within(text: str, root: Path) -> str:
    """Return a configuration that includes what lies below ``root``."""
    return re.sub(r"(?<=[\s\"'])/etc/(?=[^;]*;)", f"{root}/etc/" if root != Path("/") else "/etc/", text)


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def fetch(directory: Path) -> None:
    """Have apt fetch the packages."""
    subprocess.run(["apt-get", "download", "-qq", *PACKAGES], cwd=directory, check=True)


def main(arguments: list[str]) -> int:
    """Unpack all into one root directory, look at each file, and say what is found that is not known."""
    with tempfile.TemporaryDirectory() as temporary:
        packages, root = Path(arguments[0]) if arguments else Path(temporary, "packages"), Path(temporary, "root")
        if not arguments:
            packages.mkdir()
            fetch(packages)
        for package in sorted(packages.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        paths = [
            one for one in sorted(root.rglob("*")) if one.is_file() and is_configuration(str(one.relative_to(root)))
        ]
        found = {fault for path in paths for fault in find_faults(path, root)}
    unknown = sorted(fault for fault in found if fault[:2] not in KNOWN)
    gone = KNOWN.keys() - {fault[:2] for fault in found}
    print(
        "\n".join(
            [*(f"found: {code}: {message}" for _, code, message in unknown), *(f"no more: {one}" for one in gone)]
        )
    )
    print(f"{len(paths)} configurations, {len(unknown)} with a finding that is not known")
    return 1 if unknown or gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
