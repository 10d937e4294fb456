"""What the linter found, written down: for people (``text``), for programs (``document``, ``sarif``, ``github``)."""
