"""Path validation, explained: which paths lead from a certificate to a trust anchor, and every check on each.

Decides by RFC 5280 section 6 and says why, check by check, without stopping at the first failure; where the standard
leaves room (extended key usage along the path, key strength) it follows what TLS peers do. It fetches nothing and asks
no clock: certificates, revocation lists and the time are handed in. The entrance is ``explain`` in ``explain.py``.
"""
