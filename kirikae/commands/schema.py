"""`kirikae schema`."""

from kirikae.output import put

EXAMPLES = "Example:\n\n  kirikae schema > kirikae.schema.json"


def schema_command() -> None:
    """Print the JSON Schema of drill files, for editors that complete and check."""
    from kirikae.drills import schema_text

    put(schema_text())
