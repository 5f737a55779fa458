"""How a call is written down for the other node of a pair: a line of JSON, read back to the same snapshot."""

import json
from typing import Any, Final, NamedTuple, cast

from sbc.endpoints.wire import Address, Path
from sbc.sip import bridging
from sbc.sip.fields import parse_address
from sbc.sip.message import Request, Response, parse
from sbc.sip.session_timer import Terms, Timing
from sbc.sip.snapshot import Invite, Side, Snapshot, Talk
from sbc.sip.uri import parse_uri
from sbc.sip.usage import State, Turn

VERSION: Final = 1
"""Of all that nodes say to each other; a node understands its own alone."""

as_json: Final = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
"""Writes a value as JSON on one line: made once, as an encoder takes longer to make than to write a record."""

_BYTES: Final = "latin-1"
"""Descriptions and messages are bytes: each is written as the character of its number."""

Plain = list[Any]


class Replica(NamedTuple):
    """A call of the other node, as it stands in its record."""

    id: str
    """The caller's side by our tag in it: what stays the same while the call goes on."""
    key: str
    trunk: str
    passed: int
    """How often it has passed from node to node."""
    text: bytes
    """Its snapshot, written."""
    by: float = 0.0
    """Seconds by which the clock of this node is ahead of the other's."""


def write(snapshot: Snapshot) -> bytes:
    """Return a snapshot on one line; its flows have to be paths."""
    bodies: list[str] = []
    sides = [_side(side, bodies) for side in (snapshot.a, snapshot.b)]
    return as_json([snapshot.at, snapshot.state.name, *sides, bodies]).encode()


def read(text: bytes) -> Snapshot:
    """Return the snapshot that was written; raises ValueError, KeyError or TypeError for anything else."""
    at, state, a, b, bodies = json.loads(text)
    return Snapshot(at, bridging.State[state], _read_side(a, bodies), _read_side(b, bodies))


def _side(side: Side, bodies: list[str]) -> Plain:
    flow = cast(Path, side.flow)
    return [
        side.call_id,
        side.tag,
        side.outgoing,
        side.state.name,
        side.turn.name,
        [*flow.local, *flow.remote, flow.transport],
        [*side.timing],
        None if side.talk is None else _talk(side.talk, bodies),
        None if side.invite is None else _invite(side.invite),
        None if side.terms is None else [*side.terms],
        side.expires,
        side.refresh,
    ]


def _read_side(plain: Plain, bodies: list[str]) -> Side:
    call_id, tag, outgoing, state, turn, flow, timing, talk, invite, terms, expires, refresh = plain
    host, port, far_host, far_port, transport = flow
    return Side(
        call_id,
        tag,
        outgoing,
        State[state],
        Turn[turn],
        Path(Address(host, port), Address(far_host, far_port), transport),
        Timing(*timing),
        None if talk is None else _read_talk(talk, bodies),
        None if invite is None else _read_invite(invite),
        None if terms is None else Terms(*terms),
        expires,
        refresh,
    )


def _talk(talk: Talk, bodies: list[str]) -> Plain:
    return [
        str(talk.local),
        str(talk.remote),
        str(talk.target),
        [str(route) for route in talk.routes],
        talk.local_cseq,
        talk.remote_cseq,
        _place(talk.ours, bodies),
        _place(talk.theirs, bodies),
        talk.acked,
    ]


def _read_talk(plain: Plain, bodies: list[str]) -> Talk:
    local, remote, target, routes, local_cseq, remote_cseq, ours, theirs, acked = plain
    return Talk(
        parse_address(local),
        parse_address(remote),
        parse_uri(target),
        tuple(parse_address(route) for route in routes),
        local_cseq,
        remote_cseq,
        None if ours is None else bodies[ours].encode(_BYTES),
        None if theirs is None else bodies[theirs].encode(_BYTES),
        acked,
    )


def _place(body: bytes | None, bodies: list[str]) -> int | None:
    """Return where a description stands among all of a call: what one side offers, the other is offered."""
    if body is None:
        return None
    text = body.decode(_BYTES)
    if text not in bodies:
        bodies.append(text)
    return bodies.index(text)


def _invite(invite: Invite) -> Plain:
    answer = None if invite.answer is None else invite.answer.encode().decode(_BYTES)
    return [invite.request.encode().decode(_BYTES), answer, invite.quiet]


def _read_invite(plain: Plain) -> Invite:
    request, answer, quiet = plain
    asked = parse(request.encode(_BYTES))
    said = None if answer is None else parse(answer.encode(_BYTES))
    if not isinstance(asked, Request) or not (said is None or isinstance(said, Response)):
        raise TypeError("an INVITE is a request, and its answer a response")
    return Invite(asked, said, quiet)
