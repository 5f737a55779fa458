"""Words that several commands use."""


def counted(number: int, what: str) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
