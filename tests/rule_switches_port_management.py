"""How rows about port requests are switched off."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from sbc.decisions.port_requests import Desk
from scenarios import portplan
from scenarios.model import Ports
from tests.rule_switches import Switch


@contextmanager
def _together(*changes: tuple[str, object]) -> Iterator[None]:
    """Put others in place of decisions about requests."""
    with ExitStack() as stack:
        for name, other in changes:
            stack.enter_context(patch.object(portplan, name, other))
        yield


def _each_part_alone() -> Callable[[Ports, Ports], Ports]:
    """Return what grants those parts of a request that would be granted by themselves."""
    whole = portplan.changed

    def changed(limits: Ports, asked: Ports) -> Ports:
        for name, count in asked.model_dump(exclude_none=True).items():
            after = whole(limits, Ports(**{name: count}))
            if (after.tenant or 0) <= portplan.MOST_CONCURRENT and not portplan.exceeds(after, "each"):
                limits = after
        return limits

    return changed


SWITCHES: dict[str, Switch] = {
    "P5": Switch("campaign-ports-timely", "blocked_ratio{limit=tenant}", changes=("port_management.daily_limit=1",)),
    "P6": Switch(
        "campaign-ports-late",
        "time_to_grant{step=all at once}",
        patch=lambda: _together(("is_quick", lambda *_: True)),
    ),
    "P7": Switch(
        "campaign-ports-refused",
        "time_to_grant{step=by the supervisor}",
        patch=lambda: _together(("may_request", lambda *_: True)),
    ),
    "P8": Switch(
        "campaign-ports-refused",
        "time_to_grant{step=a typing error}",
        patch=lambda: _together(("MOST_CONCURRENT", 1_000_000)),
    ),
    "P9": Switch(
        "campaign-ports-refused",
        "time_to_grant{step=outbound alone}",
        patch=lambda: _together(("exceeds", lambda *_: False)),
    ),
    "P10": Switch(
        "campaign-ports-refused",
        "blocked_ratio{limit=tenant}",
        patch=lambda: _together(("changed", _each_part_alone())),
    ),
    "P12": Switch(
        "campaign-ports-late",
        "time_to_grant{step=at least a part}",
        patch=lambda: patch.object(Desk, "is_free", lambda _: True),
    ),
    "P15": Switch("port-exhaustion", "blocked_ratio{limit=tenant, after=15m}", changes=("ports.tenant=9999",)),
}
"""By row."""
