"""`python -m modeltui` and the command `modeltui`."""

import gc
import sys


def main() -> int:
    """Run the command line; returns the exit code.

    Collecting garbage while modules are imported costs a tenth of a short command's time and finds nothing;
    commands that stay turn it on again.
    """
    gc.disable()
    if sys.argv[1:] == ["--version"]:
        from modeltui import __version__

        sys.stdout.write(f"modeltui {__version__}\n")
        return 0
    from modeltui.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
