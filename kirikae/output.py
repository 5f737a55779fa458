"""Standard output, for programs and for readers who may go away."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reports.console import safe_console


def put(text: str) -> None:
    """Write text for programs to standard output: UTF-8, whatever the terminal's encoding is."""
    sys.stdout.buffer.write(text.encode(errors="replace"))
    sys.stdout.buffer.flush()


@contextmanager
def output(more: str = "") -> Iterator[None]:
    """Say so when the reader is gone or the disk full."""
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        safe_console(sys.stderr).print(f"output: {error.strerror}{more}", soft_wrap=True)
