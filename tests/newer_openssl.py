"""A newer OpenSSL than the system's for a test's programs: the one inside the wheel of psycopg's binary package.

Programs that the test starts then load it in place of the system's: Python, nginx, openssl. So what they speak is what
they would on a newer release. A private copy for tests alone: nothing of ours is delivered with it.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prove_bench import nginx_binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

HYBRIDS = (3, 5)
"""The first OpenSSL with ML-KEM, and X25519MLKEM768 among what it offers by itself."""
_VERSION = re.compile(r"OpenSSL (\d+)\.(\d+)")


def libraries() -> Path | None:
    """Return the directory of the wheel's libraries, None where the package was built against the system's."""
    found = importlib.util.find_spec("psycopg_binary")
    if found is None or found.origin is None:
        return None
    directory = Path(found.origin).parent.with_name("psycopg_binary.libs")
    return directory if directory.is_dir() else None


def knows_hybrids() -> bool:
    """Whether Python and nginx, started now, have an OpenSSL with hybrid groups; the last one named is in use."""
    commands = [
        [sys.executable, "-c", "import ssl; print(ssl.OPENSSL_VERSION)"],
        [str(nginx_binaries()["system"]), "-V"],
    ]
    outputs = (
        subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
        for command in commands
    )
    versions = [_VERSION.findall(output)[-1] for output in outputs]
    return all((int(major), int(minor)) >= HYBRIDS for major, minor in versions)


@pytest.fixture(scope="module")
def newer_openssl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have every program that is started from now on load the newer one, unless the system's is new enough."""
    with pytest.MonkeyPatch.context() as patch:
        directory = libraries()
        if not knows_hybrids() and directory is not None:
            place = tmp_path_factory.mktemp("newer-openssl")
            for path in directory.glob("lib*.so.3"):
                if matched := re.fullmatch(r"(libssl|libcrypto)-[0-9a-f]+\.so\.3", path.name):
                    (place / f"{matched[1]}.so.3").symlink_to(path)
            patch.setenv("LD_LIBRARY_PATH", f"{place}:{directory}")
        if not knows_hybrids():
            pytest.skip(
                "neither this machine's OpenSSL nor that of psycopg-binary has hybrid groups for Python and nginx"
            )
        yield
