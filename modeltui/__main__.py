"""`python -m modeltui` and the command `modeltui`."""

import gc
import os
import sys
import threading


def main() -> int:
    """Run the command line; returns the exit code.

    Collecting garbage while modules are imported costs a tenth of a short command's time and finds nothing;
    commands that stay turn it on again. Frozen, nothing is collected at the exit either.
    """
    gc.disable()
    if sys.argv[1:] == ["--version"]:
        from modeltui import __version__

        try:
            sys.stdout.write(f"modeltui {__version__}\n")
            sys.stdout.flush()
        except (OSError, AttributeError):  # a full, closed or missing stream
            return 1
        return 0
    from modeltui.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        # A name that is still being looked up cannot be interrupted, and would hold the exit up.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
