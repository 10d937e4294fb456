"""The openssl command and the libcrypto that nginx calls, as oracles."""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

XN_FLAG_RFC2253 = 0x1110317


def openssl(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run openssl to its end and return what it said; skips the test, with the reason, where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command here")
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False, timeout=60)


def libcrypto() -> ctypes.CDLL:
    """Return OpenSSL's library; skips the test where it cannot be found."""
    path = ctypes.util.find_library("crypto")
    if path is None:
        pytest.skip("there is no libcrypto here")
    return ctypes.CDLL(path)
