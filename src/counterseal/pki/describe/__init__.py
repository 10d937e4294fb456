"""What certificates, requests, lists and keys say, as values in words that a person reads.

Everything is stated, nothing judged: what is wrong with a thing is for ``pki.lint``. No secret byte comes out of here.
"""
