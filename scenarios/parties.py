"""Who can be responsible for a part of a plan, or take a step of it."""

from typing import Literal

Party = Literal["customer", "vendor", "carrier"]
"""Whose people somebody is one of."""

Owner = Literal["customer", "vendor", "carrier", "shared"]
"""Who is responsible for something: a party alone, or several together (G6)."""
