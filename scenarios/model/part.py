"""What every part of a drill is."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of every part: frozen, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)
