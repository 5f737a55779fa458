"""Where processes of ours look for modules: where this one does, and not first in the folder they are started in.

That folder is the user's, and may own packages of the same names as ours.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def environment() -> dict[str, str]:
    """Return the environment for a Python that is to find the same modules as this one."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


@contextmanager
def handed_on() -> Iterator[None]:
    """Let what starts a Python out of our sight hand :func:`environment` on to it."""
    before = dict(os.environ)
    os.environ.update(environment())
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
