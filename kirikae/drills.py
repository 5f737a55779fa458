"""The bundled drills: found by name, shown, copied beside the schema their editor hint names."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import yaml

from scenarios.paths import is_file
from scenarios.problems import did_you_mean

SUFFIX = ".kirikae.yaml"
SCHEMA_NAME = "kirikae.schema.json"
_BUNDLED_HINT = "$schema=../drill.schema.json"


class UnknownDrillError(ValueError):
    """Neither a file nor a bundled drill."""


def bundled() -> Iterator[tuple[str, str]]:
    """Yield the name and the title of every bundled drill."""
    for path in sorted(_folder().glob(f"*{SUFFIX}")):
        yield path.name.removesuffix(SUFFIX), str(yaml.safe_load(path.read_text(encoding="utf-8"))["name"])


def find(name: str) -> Path:
    """Return the file that ``name`` means: a path, or a bundled drill; raises :class:`UnknownDrillError`."""
    path, own = Path(name), _folder() / f"{name}{SUFFIX}"
    if path.suffix or "/" in name or is_file(path):
        return path
    if is_file(own):
        return own
    names = [drill for drill, _ in bundled()]
    raise UnknownDrillError(
        f"{name}: no such file, and no bundled drill of that name{did_you_mean(name, names)} "
        f"(bundled: {', '.join(names)})"
    )


def text_of(name: str) -> str:
    """Return a bundled drill as it stands; raises :class:`UnknownDrillError`."""
    path = _folder() / f"{name}{SUFFIX}"
    if not is_file(path):
        names = [drill for drill, _ in bundled()]
        raise UnknownDrillError(f"no bundled drill {name!r}{did_you_mean(name, names)} (bundled: {', '.join(names)})")
    return path.read_text(encoding="utf-8")


def copy(name: str, folder: Path) -> list[Path]:
    """Write a bundled drill and the schema for its editor hint into ``folder``; existing files are never replaced.

    Raises :class:`UnknownDrillError`, and FileExistsError or another OSError when a file cannot be written.
    """
    text = text_of(name).replace(_BUNDLED_HINT, f"$schema={SCHEMA_NAME}")
    drill, schema = folder / f"{name}{SUFFIX}", folder / SCHEMA_NAME
    with drill.open("x", encoding="utf-8") as file:
        file.write(text)
    if not schema.exists():
        schema.write_text(schema_text(), encoding="utf-8")
    return [drill, schema]


def schema_text() -> str:
    """Return the JSON Schema of drill files as it is written to a file."""
    from scenarios.schema import json_schema  # imports the whole model

    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


def _folder() -> Path:
    return Path(str(files("scenarios"))) / "drills"
