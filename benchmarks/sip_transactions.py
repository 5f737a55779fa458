"""What SIP transactions cost: an operation while more and more are in progress, and a whole call between two users.

`python -m benchmarks.sip_transactions` prints both; with the word `profile`, where the time of the calls goes. Times
are the processor's, not those of the clock on the wall, since machines are shared.
"""

import cProfile
import gc
import pstats
import sys
from collections.abc import Callable, Iterable
from time import process_time
from typing import NamedTuple, TypeVar

from sbc.sip.message import Request, Response, parse
from sbc.sip.testkit import new_request
from sbc.sip.transaction import AckReceived, RequestReceived, ResponseReceived, Send, Terminated, UserEvent
from sbc.sip.transactions import Transactions

LIVE = (1_000, 10_000, 100_000)
BATCH = 500
ROUNDS = 9
CALLS = 2_000
CALLS_PER_SECOND = 1_000
"""Of the clock in the messages: how fast calls come, and so how many transactions are in progress at a time."""

SDP = (
    b"v=0\r\no=- 20518 0 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"
    b"m=audio 54400 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
)
T = TypeVar("T")


class Flow(NamedTuple):
    """Where messages go in these measurements."""

    name: str
    reliable: bool


UDP, TCP = Flow("udp", reliable=False), Flow("tcp", reliable=True)


def main() -> None:
    """Print what operations and calls cost, without the garbage collector, as the engines run."""
    gc.disable()
    try:
        operations()
        for on_wire, how in ((True, "each message written and parsed"), (False, "the messages handed over")):
            best = max(calls(on_wire=on_wire) for _ in range(ROUNDS))
            print(f"a call of 7 messages between two users, {how}: {best:,.0f} calls/s")
    finally:
        gc.enable()


# One operation, while many transactions are in progress.


def operations() -> None:
    """Print microseconds an operation, the best of rounds in which the crowds take turns."""
    crowds = [crowd(size) for size in LIVE]
    rounds = [[one_round(layer, number) for layer in crowds] for number in range(ROUNDS)]
    columns = [{name: min(each[i][name] for each in rounds) for name in rounds[0][i]} for i in range(len(LIVE))]
    print(f"{'µs, transactions in progress:':32}" + "".join(f"{size:>10,}" for size in LIVE))
    for name in columns[0]:
        print(f"{name:32}" + "".join(f"{column[name]:10.1f}" for column in columns))


def crowd(size: int) -> Transactions:
    """Return a layer with so many transactions of all kinds in progress, begun one after another in 3 s."""
    layer = Transactions()
    for n in range(size // 4):
        now = 12.0 * n / size
        for method in ("INVITE", "OPTIONS"):
            request = new_request(method, "alice", "bob", branch=f"z9hG4bKc{n}", call_id=f"{n}{method}")
            layer.request(now, UDP, request)
            layer.receive(now, UDP, request)
    layer.fire(3.0)
    layer.take()
    return layer


def one_round(layer: Transactions, number: int) -> dict[str, float]:
    """Return microseconds an operation of a batch of transactions, which end with their final response, as over TCP."""
    now = 3.0 + number / 100
    layer.fire(now)
    layer.take()
    requests = [
        ready(new_request("OPTIONS", "carol", "bob", branch=f"z9hG4bK{n}", call_id=f"{n}")) for n in range(BATCH)
    ]
    answers = [ready(Response.answer(request, 200, to_tag="bob")) for request in requests]
    times = {
        "a request comes": timed(requests, lambda request: layer.receive(now, TCP, request)),
        "its copy comes": timed(requests, lambda request: layer.receive(now, TCP, request)),
    }
    begun = [event.transaction for event in layer.take() if isinstance(event, RequestReceived)]
    times["it is answered, and ends"] = timed(
        zip(begun, answers, strict=True), lambda pair: layer.respond(now, pair[0], pair[1])
    )
    times["a request is sent"] = timed(requests, lambda request: layer.request(now, TCP, request))
    times["the answer comes, and ends it"] = timed(answers, lambda answer: layer.receive(now, TCP, answer))
    layer.take()
    firing = timed([None], lambda _: layer.fire(now + 0.01))
    times["a timer fires"] = firing / max(1, sum(isinstance(output, Send) for output in layer.take()))
    return times


def ready(message: T) -> T:
    """Return a message with its typed values read, as validation leaves it: parsing is another measurement."""
    for name in ("via", "cseq", "from_", "to", "call_id"):
        getattr(message, name)
    return message


def timed(items: Iterable[T], action: Callable[[T], object]) -> float:
    """Return microseconds an item."""
    todo = list(items)
    start = process_time()
    for item in todo:
        action(item)
    return (process_time() - start) / len(todo) * 1e6


# A call: INVITE, 100, 180, 200, ACK, BYE, 200; every message is made, written, parsed and matched.


class Caller:
    """Calls, and hangs up when the call is up."""

    def __init__(self) -> None:
        self.layer = Transactions()
        self.done = 0

    def call(self, now: float, number: int) -> None:
        """Send an INVITE."""
        self.layer.request(now, UDP, self._request("INVITE", number, 1, f"a{number}", SDP))

    def hear(self, now: float, event: UserEvent) -> None:
        """Acknowledge and hang up, or count the call."""
        if isinstance(event, ResponseReceived) and event.response.status == 200:
            if event.response.cseq.method == "BYE":
                self.done += 1
            else:
                number = int(event.response.call_id.partition("@")[0])
                self.layer.send(UDP, self._request("ACK", number, 1, f"b{number}"))
                self.layer.request(now, UDP, self._request("BYE", number, 2, f"c{number}"))

    def _request(self, method: str, number: int, cseq: int, branch: str, body: bytes = b"") -> Request:
        in_dialog = "" if method == "INVITE" else ";tag=callee"
        return Request.build(
            method,
            "sip:0312345678@sbc.biloxi.example;user=phone",
            via=f"SIP/2.0/UDP pbx.atlanta.example:5060;branch=z9hG4bK{branch};rport",
            from_=f'"Sales" <sip:0612345678@atlanta.example;user=phone>;tag=caller{number}',
            to=f"<sip:0312345678@biloxi.example;user=phone>{in_dialog}",
            call_id=f"{number}@pbx.atlanta.example",
            cseq=cseq,
            headers=[
                ("Contact", "<sip:pbx.atlanta.example:5060>"),
                ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK"),
                ("Supported", "timer, 100rel"),
                ("User-Agent", "benchmark"),
                *([("Content-Type", "application/sdp")] if body else []),
            ],
            body=body,
        )


class Callee:
    """Answers everything: an INVITE with 100, 180 and 200."""

    def __init__(self) -> None:
        self.layer = Transactions()
        self.acks = 0

    def hear(self, now: float, event: UserEvent) -> None:
        """Answer, or count the ACK."""
        if isinstance(event, AckReceived):
            self.acks += 1
        elif isinstance(event, RequestReceived):
            request = event.request
            contact = [("Contact", "<sip:sbc.biloxi.example:5060>")]
            if request.method == "INVITE":
                for status in (100, 180):
                    answer = Response.answer(request, status, to_tag="callee", headers=contact)
                    self.layer.respond(now, event.transaction, answer)
                contact.append(("Content-Type", "application/sdp"))
            body = SDP if request.method == "INVITE" else b""
            answer = Response.answer(request, 200, to_tag="callee", headers=contact, body=body)
            self.layer.respond(now, event.transaction, answer)


def calls(count: int = CALLS, *, on_wire: bool = True) -> float:
    """Return calls a second of the processor; on the wire the messages are written and parsed at each of the 7 hops."""
    alice, bob = Caller(), Callee()
    hops = ((alice, bob.layer), (bob, alice.layer))
    start = process_time()
    for number in range(count):
        now = number / CALLS_PER_SECOND
        alice.call(now, number)
        busy = True
        while busy:
            busy = False
            for user, peer in hops:
                for output in user.layer.take():
                    busy = True
                    if isinstance(output, Send):
                        sent = output.message
                        peer.receive(now, UDP, parse(sent.encode()) if on_wire else sent)
                    elif not isinstance(output, Terminated):
                        user.hear(now, output)
        for user, _ in hops:
            if user.layer.deadline() <= now:
                user.layer.fire(now)
    elapsed = process_time() - start
    if (alice.done, bob.acks) != (count, count):
        raise RuntimeError(f"{count} calls were made, {bob.acks} acknowledged and {alice.done} hung up")
    return count / elapsed


def profile() -> None:
    """Print where the time of the calls goes."""
    profiler = cProfile.Profile()
    profiler.runcall(calls)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    profile() if "profile" in sys.argv[1:] else main()
