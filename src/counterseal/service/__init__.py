"""What every network face shares: the store from asynchronous code, limits, problem documents, logs, TLS.

It must not know any protocol; the faces in ``protocols`` stand on it and on ``authority``.
"""
