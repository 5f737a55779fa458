"""The front door: command line and public API."""

__version__ = "0.1.0"
