"""What a carrier has on its side of the plan: its lines, and the pairs at their other ends as far as it knows them."""

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from sbc.decisions import member
from sbc.decisions.admission import Limit
from sbc.decisions.trunk import Refusal, Trouble
from sbc.endpoints.naming import CHARGING, Naming
from sbc.endpoints.trunk_group import by_trunk
from sbc.endpoints.wire import RELIABLE, SIP_PORT, Address, End, Path
from sbc.sip.agent import UserAgent
from sbc.sip.call import Call, Way
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.grammar import NO_PARAMS, Params
from sbc.sip.ids import Ids
from sbc.sip.sdp import PCMA, PCMU, Origin, answer, offer, parse_sdp
from sbc.sip.session_timer import Timing
from sbc.sip.transaction import Flow
from sbc.sip.uri import SipUri, Uri
from scenarios.model import SbcPair

RTP_PORT: Final = 5004
"""The port that RFC 3551 §8 has for RTP; no media is played."""
NOT_DIALLED: Final = 403
"""What a call counts as whose number must not be dialled; no other trunk is tried for it."""
_CODECS: Final = (PCMU, PCMA)
_PHONE: Final = Params([("user", "phone")])


@dataclass(frozen=True, slots=True)
class Real:
    """What is special about a pair that is the user's own."""

    naming: Naming
    inside: Address
    """Where the contact centre sends its calls; the carrier's go to the other side."""
    centre: End
    """Where the contact centre hears those that the pair sends it."""
    refuses: Callable[[str], str | None]
    """Says why a number must not be dialled, or None where it may; asked for every INVITE."""


class Edge:
    """A pair as its carrier sees it: one service address, or two nodes that calls go to in turn."""

    def __init__(
        self,
        name: str,
        plan: SbcPair,
        nodes: Sequence[Address],
        first_probe: float = 0.0,
        real: Real | None = None,
    ) -> None:
        """``nodes``: the service address, or that of each node of an active-active pair.

        ``first_probe``: when the first probes are sent where the plan has any, seconds. Raises ValueError for more or
        fewer addresses than the mode has.
        """
        if len(nodes) != (2 if plan.mode == "active-active" else 1):
            raise ValueError(f"{name} is {plan.mode} and has {len(nodes)} addresses")
        self.name = name
        self.plan = plan
        self.nodes = tuple(nodes)
        self.inside = self.nodes if real is None else (real.inside,)
        """Where the contact centre sends its calls, as `nodes` says of the carrier's."""
        self.real = real
        self.naming: Naming = CHARGING if real is None else real.naming
        self.first_probe = first_probe
        self._uses = [member.State.IN_USE] * len(nodes)
        self._turn = 0

    def refuses(self, *numbers: str) -> Refusal | None:
        """Return why an INVITE with these numbers must not be sent to it, if there is anything against it."""
        if self.real is None:
            return None
        found = next((why for number in numbers if (why := self.real.refuses(number)) is not None), None)
        return None if found is None else Refusal(found, NOT_DIALLED)

    @property
    def shared(self) -> bool:
        """Whether both nodes serve."""
        return len(self.nodes) > 1

    @property
    def proxied(self) -> bool:
        """Whether its nodes pass answers on as proxies do."""
        return self.plan.passes == "proxy"

    def called(self, node: int) -> str:
        """Return what a node is called, as ``pair/1``."""
        return f"{self.name}/{node + 1}"

    def pick(self) -> int | None:
        """Return the node that the next call is sent to; None when none is in use."""
        if not self.shared:
            return 0
        node, self._turn = member.pick(self._uses, self._turn)
        return node

    def other(self, node: int) -> int | None:
        """Return the other node of an active-active pair, if it is in use and calls may go on to it."""
        return member.other(self._uses, node) if self.shared and self.plan.failover else None

    def heard(self, node: int, *, answers: bool) -> bool:
        """Take in whether a node has answered; say whether it is used or avoided from now on, unlike before."""
        before = self._uses[node]
        self._uses[node] = member.heard(before, answers=answers)
        return self._uses[node] is not before


@dataclass(slots=True, eq=False)
class Line(Trouble):
    """A trunk at its carrier's end: its address, its channels and its user agent."""

    name: str
    local: Address
    edge: Edge
    limit: Limit
    """Its channels."""
    advance_after: float
    """Seconds without any answer after which a call goes on to the next trunk or node, if there is one."""
    ids: InitVar[Ids]
    end: End | None = None
    """What there is to know besides of an address that a real pair is spoken with from."""
    agent: UserAgent = field(init=False)
    _offer: bytes = field(init=False)

    def __post_init__(self, ids: Ids) -> None:
        contact = NameAddr(SipUri(self.shown.host, port=_shown(self.shown), params=transport_of(self.end)))
        timing = Timing(int(self.edge.plan.session_timer))
        self.agent = UserAgent(contact, ids, self._locate, timing=timing)
        self._offer = offer(self._origin, RTP_PORT, _CODECS).encode()

    @property
    def broken(self) -> bool:
        """Whether no new call gets through."""
        return bool(self.down_by or self.refuses_by)

    @property
    def shown(self) -> Address:
        """Its address as it tells it to others."""
        return self.local if self.end is None else self.end.shown

    @property
    def _origin(self) -> Origin:
        return Origin(self.shown.host, 1)

    def _locate(self, uri: Uri, flow: Flow | None) -> Way:
        transport = "udp" if self.end is None else self.end.transport
        here = Via(transport.upper(), self.shown.host, self.shown.port)
        if flow is not None and (not isinstance(uri, SipUri) or transport in RELIABLE):
            return Way(flow, here)  # a Contact that is no address, or a connection: the way by which it came
        assert isinstance(uri, SipUri)  # noqa: S101 - what the carrier itself calls
        return Way(Path(self.local, Address(uri.host, uri.port or SIP_PORT), transport), here)

    def invite(self, now: float, key: str, number: str, dialled: str, node: int) -> Call:
        """Call a number at a node for somebody who has dialled another, or the same."""
        there, naming = self.edge.nodes[node], self.edge.naming
        target, to = (
            NameAddr(SipUri(there.host, "".join(filter(str.isdigit, each)), _shown(there), _PHONE))
            for each in (number, dialled)
        )
        user = naming.caller(key)
        caller = NameAddr(SipUri(self.shown.host, user, _shown(self.shown)))
        headers = naming.headers(key)
        if self.edge.real is None:
            headers.append(("Contact", NameAddr(by_trunk(user, self.name, self.local))))  # a proxy leaves it as it is
        else:
            headers.append(("P-Asserted-Identity", caller))
        return self.agent.invite(now, target.uri, caller, to, headers=headers, body=self._offer)

    def session(self, offered: bytes) -> bytes | None:
        """Return the answer to an offer, an offer where there is none, or None where nothing can be agreed on."""
        if not offered:
            return self._offer
        try:
            answered = answer(parse_sdp(offered), self._origin, RTP_PORT, _CODECS)
        except ParseError:
            return None
        return None if answered.audio is None else answered.encode()


def transport_of(end: End | None) -> Params:
    """Return what a Contact says of its transport, where that is not UDP."""
    return NO_PARAMS if end is None or end.transport == "udp" else Params([("transport", end.transport)])


def _shown(address: Address) -> int | None:
    return None if address.port == SIP_PORT else address.port
