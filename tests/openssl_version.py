"""The OpenSSL of a program."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING

from counterseal.nginx.version import named_openssl

if TYPE_CHECKING:
    from counterseal.pki.openssl.release import Release


@cache
def program_version() -> Release:
    """Return the version of ``openssl``."""
    ran = subprocess.run(["openssl", "version"], capture_output=True, text=True, timeout=60, check=True)
    return named_openssl(ran.stdout.split()[1])
