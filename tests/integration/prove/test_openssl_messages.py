"""The table of verify reasons and OpenSSL's own text for each number agree."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest

from counterseal.handshake.verify_reasons import VERIFY_REASONS, VerifyReason

NUMBERED = [reason for reason in VERIFY_REASONS if reason.code is not None]


@pytest.mark.parametrize("reason", NUMBERED, ids=lambda reason: str(reason.code))
def test_a_message_is_openssls(reason: VerifyReason) -> None:
    """X509_verify_cert_error_string of the library on this machine, in the present or an older spelling."""
    library = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    library.X509_verify_cert_error_string.restype = ctypes.c_char_p
    said = library.X509_verify_cert_error_string(reason.code).decode()
    assert said in {reason.message, *reason.aliases}
