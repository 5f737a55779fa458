"""What the command line knows of each command: its options and help.

The work is imported when a command is called, so that `--help`, `--version` and small commands are there at once.
"""
