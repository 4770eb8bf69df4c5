"""`python -m modeltui` and the command `modeltui`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:] == ["--version"]:
        from modeltui import __version__

        sys.stdout.write(f"modeltui {__version__}\n")
        return 0
    from modeltui.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
