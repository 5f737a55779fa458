"""The SIP process of a node: ``python -m sbc.live.sip_process``; :mod:`sbc.live.machine` starts it."""

import asyncio
import os
from functools import partial
from random import random
from secrets import randbits

from sbc.endpoints.endpoint import Hold, Release
from sbc.live.child import begin
from sbc.live.clock import Clock
from sbc.live.impaired import Impaired
from sbc.live.running import run
from sbc.live.shell import Shell
from sbc.live.sockets import Sockets
from sbc.live.transport import BindError
from sbc.live.words import Failed, LinkFault, OfSip, Ping, Pong, SipPlan, Up
from sbc.sip.ids import Ids


class SipProcess:
    """Hears what its machine tells, and runs the endpoint of the node."""

    def __init__(self) -> None:
        self._network = Impaired(Sockets(), random)
        self._peer = ""
        self._shell: Shell | None = None
        self._channel = begin(self._hear)
        self._channel.tell(Up())

    def _hear(self, said: object) -> None:
        shell = self._shell
        match said:
            case SipPlan():
                self._start(said)
            case Ping():
                self._channel.tell(Pong())
            case LinkFault():
                said.strike(self._network, self._peer)
            case Hold(address) if shell is not None:
                self._carefully(partial(self._network.hold, shell, address, shared=True))
            case Release(address):
                self._network.release(address)
            case _ if shell is not None:
                shell.tell(said)

    def _start(self, plan: SipPlan) -> None:
        shell = Shell(
            Clock(plan.origin), self._network, plan.node.post.name, lambda told: self._channel.tell(OfSip(told))
        )
        peer = plan.node.peer
        self._peer = "" if peer is None else peer.remote.host
        for address in plan.own:
            self._carefully(partial(self._network.hold, shell, address, shared=True))
        shell.start(plan.node.start(Ids(randbits)))
        self._shell = shell

    def _carefully(self, hold: partial[None]) -> None:
        try:
            hold()
        except BindError as error:
            self._channel.tell(Failed(str(error)))


async def _live() -> None:
    SipProcess()
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    run(_live())
    os._exit(0)
