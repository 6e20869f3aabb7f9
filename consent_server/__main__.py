"""Command line as a module: `python -m consent_server`."""

from consent_server.cli import main

if __name__ == "__main__":
    main(prog_name="consent-server")
