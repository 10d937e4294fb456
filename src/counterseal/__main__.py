"""The entry point of the command ``counterseal`` and of ``python -m counterseal``."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line; ``--version`` alone answers before anything else is loaded."""
    if sys.argv[1:] == ["--version"]:
        from counterseal import __version__  # noqa: PLC0415 - nothing else is needed for this answer

        try:
            sys.stdout.write(f"counterseal {__version__}\n")
            sys.stdout.flush()
        except OSError:
            pass  # what this comes to is known below
        else:
            return
    import warnings  # noqa: PLC0415 - nothing but the version is asked for above

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what the library says of odd certificates, our findings say in words
    gc.disable()  # loading code makes no garbage, only work for the collector; the command turns it on again
    from counterseal.cli.run import run  # noqa: PLC0415 - loaded only when there is something to do

    code = run()
    gc.freeze()  # the process ends: the interpreter need not look for garbage once more
    sys.exit(code)


if __name__ == "__main__":
    main()
