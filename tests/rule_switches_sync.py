"""How the rows about replication, consoles and functions are switched off, one by one."""

from contextlib import AbstractContextManager
from unittest import mock

from sbc.decisions import sync
from sbc.decisions.sync import Event, State
from sim.sync import Sync
from tests.rule_switches import Switch

_EDITED = "dr-edited-in-peace"
_FIXED = "dr-edited-in-peace-fixed"


def _without(state: State, event: Event) -> AbstractContextManager[object]:
    """Let an event go by without a change of state or effect, but that replication goes on where it did."""
    after = State.SYNCING if event is Event.RESUMED else state
    return mock.patch.dict(sync.TABLE, {(state, event): (after, ())})


SWITCHES: dict[str, Switch] = {
    "Z7": Switch(
        _EDITED,
        "softphones_least{site=osaka, after=18m, before=28m}",
        patch=lambda: mock.patch.object(Sync, "admits", return_value=True),
    ),
    "Z8": Switch(_FIXED, "data_lost{data=accounts}", changes=("sync.data.accounts.loaded_every=1s",)),
    "Z9": Switch(_FIXED, "rpo{data=histories}", changes=("sync.data.histories={excluded: false, every: 0}",)),
    "Z27": Switch(_FIXED, "failed{site=osaka}", changes=("sites.osaka.lacks=[]",)),
    "Z31": Switch(_FIXED, "unprotected", patch=lambda: _without(State.SYNCING, Event.ACTIVATED)),
    "Z38": Switch(
        "login-at-the-lost-site",
        "runbook_time{step=re-point 0120-123-456}",
        changes=("consoles.customer-control.needs=outside",),
    ),
    "Z42": Switch(_EDITED, "data_lost{data=announcements}", patch=lambda: _without(State.STOPPED, Event.RESUMED)),
    "Z44": Switch(_EDITED, "data_lost{data=ip-restrictions}", patch=lambda: _without(State.SYNCING, Event.EDITED)),
}
