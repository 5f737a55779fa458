"""What can be wrong with the options of any command."""


class OptionError(ValueError):
    """An option that cannot be meant; says which, why, and what is allowed."""
