"""Which nginx this machine has, for who judges configurations and clients without a site of ours."""

from __future__ import annotations

from counterseal.errors import NginxError
from counterseal.nginx.binary import find_nginx, read_package, read_version
from counterseal.nginx.version import NEWEST, NginxVersion, parse_version


def installed_nginx() -> NginxVersion:
    """Return the nginx of this machine with what ``nginx -V`` says of it; the newest known one where there is none."""
    try:
        binary = find_nginx()
        return parse_version(read_version(binary), package=read_package(binary))
    except NginxError:
        return NginxVersion(NEWEST)
