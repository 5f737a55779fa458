"""The engines by name, for who need not play any: to import one takes time."""

DEFAULT = "calls"
"""The engine that plays a drill when nobody asks for another."""
NAMES = (DEFAULT, "packets", "live")
WITH_MESSAGES = frozenset(["packets", "live"])
"""Those whose messages go over a wire, so that there is something to capture."""
IN_REAL_TIME = frozenset(["live"])
"""Those whose runs last as long as their clocks say, one at a time."""
VIRTUAL = tuple(name for name in NAMES if name not in IN_REAL_TIME)
"""Those that can make many runs."""
