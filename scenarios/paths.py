"""Whether there is something of a name that people have typed; where a name cannot be, as it is too long, there is not.

The methods of Path raise OSError for such a name.
"""

import os
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a file."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether there is a folder."""
    return os.path.isdir(path)


def exists(path: Path) -> bool:
    """Whether there is anything."""
    return os.path.exists(path)
