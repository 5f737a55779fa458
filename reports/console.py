"""Consoles that take what they are given, whatever their terminal can show."""

import os
from errno import EPIPE
from typing import IO, TextIO, cast

from rich.console import Console

PIPE_WIDTH = 120
"""Columns where there is no terminal to ask."""
_PLAIN = str.maketrans({"“": '"', "”": '"', "–": "-", "…": "...", "×": "x", "±": "+/-"})


class _Encodable:
    """A text stream that writes what its encoding has, and something legible for the rest."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.encoding = getattr(file, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write ``text``; a character that the encoding lacks is written in ASCII, or as a question mark."""
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            text = text.translate(_PLAIN).encode(self.encoding, "replace").decode(self.encoding)
        return self._file.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._file.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def fileno(self) -> int:
        """Return its file descriptor; raises OSError when it has none."""
        return self._file.fileno()


class _Console(Console):
    """A console that leaves it to its user what a reader who has gone away means."""

    def on_broken_pipe(self) -> None:
        """Let the error through, which rich would turn into an exit with code 1."""
        raise BrokenPipeError(EPIPE, "the reader is gone")


def safe_console(file: IO[str], *, quiet: bool = False) -> Console:
    """Return a console that never fails on a character its terminal cannot show, such as one in cp932 or ASCII.

    Nothing moves where there is no terminal, whatever FORCE_COLOR makes of it: a log of CI wants colours, and would get
    every frame.
    """
    terminal = file.isatty()
    return _Console(
        file=cast(TextIO, _Encodable(file)),
        width=None if terminal or "COLUMNS" in os.environ else PIPE_WIDTH,
        quiet=quiet,
        highlight=False,
        markup=False,
        emoji=False,
        force_interactive=None if terminal else False,
    )
