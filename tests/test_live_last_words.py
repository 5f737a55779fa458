"""What a machine has told of its calls, and is heard in the moment in which a fault kills it."""

from collections.abc import Callable
from typing import cast

import pytest

from sbc.decisions.vrrp import Event
from sbc.endpoints.gate import Carrying, Done
from sbc.endpoints.ha import Became, Role
from sbc.live.child import Child
from sbc.live.clock import Clock
from sbc.live.running import run
from sbc.live.words import OfSip
from sim.live.engine import LiveStage
from sim.packets.engine import Replication
from tests.drills import ListRecorder, drill

pytestmark = [pytest.mark.slow, pytest.mark.alone]


class Machine:
    """A process that is none, and says what it is made to say."""

    def __init__(self) -> None:
        self.hear: Callable[[object], None] = lambda said: None
        self.ended: Callable[[], None] = lambda: None
        self.killed = False

    def tell(self, said: object) -> None:
        """It does nothing."""

    def kill(self) -> None:
        self.killed = True


def test_a_port_given_back_by_a_machine_that_is_dead_by_now_is_given_back_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = drill(
        run={"for": "12s", "warm": False},
        faults=[{"name": "lost", "at": "2s", "pair": "edge", "fails": "active"}],
    )

    async def scene() -> None:
        machines = [Machine(), Machine()]
        now = [0.0]
        errors: list[BaseException] = []
        recorder = ListRecorder()
        stage = LiveStage(Clock(), lambda: now[0], 0.0, cast("list[Child]", list(machines)), None, plan, None)
        monkeypatch.setattr(stage.env, "fail", errors.append)  # nobody plays it, who would raise them
        staged = Replication(plan, 1, 0, recorder, stage)
        try:
            staged.begin([iter([])])
            active = machines[1]  # the last of the stock is taken first
            limit = staged.world.pairs["edge"].nodes[0].limit
            for said in (Became(Role.SERVES, Event.STARTED_SERVING), OfSip(Carrying("1")), OfSip(Carrying("2"))):
                active.hear(said)
            now[0] = 1.0
            active.hear(OfSip(Done("1")))
            assert (limit.used, active.killed) == (1, False)
            now[0] = 2.1  # the fault is due since 2 s, and the loop is late
            active.hear(OfSip(Done("2")))
            assert (limit.used, active.killed) == (0, True)
            assert errors == []
        finally:
            await stage.close()

    run(scene())
