"""RSA public keys whose numbers give the private key away, or are not taken by every verifier.

NIST SP 800-89 5.3.3 (exponent, small factors), CVE-2017-15361 (ROCA), and Fermat's factorization for primes that were
chosen close together. Nothing here needs more than the public key.
"""

from __future__ import annotations

from functools import cache
from math import gcd, isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_EXPONENT = 65_537
MAX_EXPONENT = 2**64 - 1
"""Above this OpenSSL verifies nothing for keys over 3,072 bits (OPENSSL_RSA_MAX_PUBEXP_BITS)."""

_FERMAT_ROUNDS = 100
_SMALLEST_TRIAL, _LARGEST_TRIAL = 3, 751
# Modulo each of these primes the primes of the faulty Infineon library are powers of 65537, and their product is too.
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA_GENERATOR = 65_537


def exponent_faults(exponent: int) -> Iterator[str]:
    """Yield what is wrong with a public exponent."""
    if exponent % 2 == 0:
        yield f"RSA exponent is even: {exponent}"
    elif exponent < MIN_EXPONENT:
        yield f"RSA exponent is too small: {exponent}, at least {MIN_EXPONENT}"
    elif exponent > MAX_EXPONENT:
        yield f"RSA exponent has {exponent.bit_length()} bits, at most 64 are accepted"


def modulus_faults(modulus: int) -> Iterator[str]:
    """Yield why a modulus can be factored; some milliseconds at most for the sizes that are accepted."""
    if modulus % 2 == 0 or gcd(modulus, _small_primes_product()) != 1:
        yield "RSA modulus has a small factor"
    if _has_close_primes(modulus):
        yield "RSA modulus is the product of two close primes and can be factored"
    if all(modulus % prime in powers for prime, powers in _roca_powers().items()):
        yield "RSA modulus comes from a faulty chip and can be factored (ROCA, CVE-2017-15361)"


def _has_close_primes(modulus: int) -> bool:
    """Fermat: the modulus is a square less a square, and close primes make the second one small."""
    root = isqrt(modulus - 1) + 1
    for candidate in range(root, root + _FERMAT_ROUNDS):
        rest = candidate * candidate - modulus
        if isqrt(rest) ** 2 == rest:
            return True
    return False


@cache
def _small_primes_product() -> int:
    product = 1
    for candidate in range(_SMALLEST_TRIAL, _LARGEST_TRIAL + 1, 2):
        if gcd(candidate, product) == 1:
            product *= candidate
    return product


@cache
def _roca_powers() -> dict[int, frozenset[int]]:
    return {
        prime: frozenset(pow(_ROCA_GENERATOR, power, prime) for power in range(prime - 1)) for prime in _ROCA_PRIMES
    }
