"""How OpenSSL 3 verifies a certificate, step by step: what nginx answers, without an nginx.

``X509_verify_cert`` (crypto/x509/x509_vfy.c) builds one chain and makes its checks in a fixed order, calling back at
each error. nginx's callback lets it go on, so that the last error stands; other programs stop at the first. Both are
told here. Nothing of this decides what is valid; that is ``pki/path``. ``verify`` in ``verify.py`` is the entrance.
"""
