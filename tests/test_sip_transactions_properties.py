"""What holds for the transaction layer whatever happens: no history, loss, copy or order of packets breaks it."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from sbc.sip.machines import State
from sbc.sip.message import Request, Response
from sbc.sip.testkit import Network, Packet, User, anything, new_request
from sbc.sip.transaction import (
    ClientTransaction,
    Output,
    RequestReceived,
    ResponseReceived,
    Send,
    ServerTransaction,
    Terminated,
    TimedOut,
    Transaction,
)
from sbc.sip.transactions import BranchError, Transactions


class Flow(str):
    reliable = False


class Stream(str):
    reliable = True


FLOWS = (Flow("udp"), Stream("tcp"))
METHODS = ("INVITE", "OPTIONS")
STATUSES = (100, 180, 200, 408, 486)

# (what, which transaction or branch, flow, method, status, pause before)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["request", "receive request", "receive response", "receive ack", "respond", "abandon", "break"]
        ),
        st.integers(0, 3),
        st.integers(0, 1),
        st.sampled_from(METHODS),
        st.sampled_from(STATUSES),
        st.sampled_from([0.0, 0.1, 0.5, 4.0, 33.0]),
    ),
    max_size=40,
)


class Watch:
    """Takes outputs and holds them against what was said before."""

    def __init__(self) -> None:
        self.layer = Transactions()
        self.clients: list[ClientTransaction] = []
        self.servers: list[ServerTransaction] = []
        self.ended: list[Transaction] = []

    def take(self) -> None:
        outputs: list[Output] = self.layer.take()
        for output in outputs:
            if isinstance(output, Send):
                assert self.owners(output), "only a transaction under way sends, and on its flow"
            elif isinstance(output, RequestReceived):
                self.servers.append(output.transaction)
            elif isinstance(output, Terminated):
                assert output.transaction.state is State.TERMINATED
                assert output.transaction not in self.ended, "it ends once"
                self.ended.append(output.transaction)
            elif isinstance(output, ResponseReceived | TimedOut):
                assert output.transaction not in self.ended, "nothing is heard of it after its end"
        assert len(self.layer) == len(self.clients) + len(self.servers) - len(self.ended)

    def owners(self, send: Send) -> list[Transaction]:
        mine = self.clients if isinstance(send.message, Request) else self.servers
        method = "INVITE" if send.message.cseq.method == "ACK" else send.message.cseq.method
        return [
            each
            for each in mine
            if each not in self.ended
            and each.flow is send.flow
            and (each.request.method, each.request.via.branch) == (method, send.message.via.branch)
        ]

    def let_time_pass(self, now: float, until: float) -> float:
        while (due := self.layer.deadline()) <= until:
            assert due > now or due <= until
            now = max(now, due)
            before = len(self.ended)
            self.layer.fire(now)
            assert self.layer.deadline() > now, "all that was due is done"
            self.take()
            assert len(self.ended) >= before
        return until


@given(events=EVENTS)
def test_after_any_history_every_transaction_ends_and_no_timer_is_left(
    events: list[tuple[str, int, int, str, int, float]],
) -> None:
    watch, now = Watch(), 0.0
    layer = watch.layer
    for what, which, on, method, status, pause in events:
        now = watch.let_time_pass(now, now + pause)
        flow = FLOWS[on]
        request = new_request(method, "alice", "bob", branch=f"z9hG4bK{which}", call_id=f"{which}{method}")
        if what == "request":
            try:
                watch.clients.append(layer.request(now, flow, request))
            except BranchError:
                assert any(each.request == request and each not in watch.ended for each in watch.clients)
        elif what == "receive request":
            layer.receive(now, flow, request)
        elif what == "receive response":
            layer.receive(now, flow, Response.answer(request, status, to_tag="bob"))
        elif what == "receive ack":
            layer.receive(now, flow, new_request("ACK", "alice", "bob", branch=f"z9hG4bK{which}"))
        elif what == "respond" and watch.servers:
            transaction = watch.servers[which % len(watch.servers)]
            sent = layer.respond(now, transaction, Response.answer(transaction.request, status, to_tag="bob"))
            assert not (sent and transaction in watch.ended)
        elif what == "abandon" and watch.clients:
            layer.abandon(now, watch.clients[which % len(watch.clients)])
        elif what == "break":
            layer.transport_error(now, flow)
        watch.take()
    # The users do what is theirs: calls are answered, and what rings for ever is given up.
    for client in watch.clients:
        layer.abandon(now, client)
    for server in watch.servers:
        layer.respond(now, server, Response.answer(server.request, 486, to_tag="bob"))
    watch.take()
    watch.let_time_pass(now, now + 100.0)
    assert (len(layer), layer.deadline()) == (0, inf)
    assert set(watch.ended) == {*watch.clients, *watch.servers}


# A packet's fate: when each of its copies arrives. Copies less than T1 apart are what timers of 64·T1 are made for: one
# that comes more than that after the others can find its transaction gone, by the RFC's own design.
FATES = st.lists(st.lists(st.floats(0.0, 0.45), max_size=3), max_size=30)


@given(
    fates=FATES,
    method=st.sampled_from(METHODS),
    status=st.sampled_from([200, 486]),
    thinks=st.sampled_from([0.0, 0.1, 1.0, 5.0, 31.0, 40.0]),
)
def test_whatever_the_network_does_each_request_is_heard_once_and_has_one_end(
    fates: list[list[float]], method: str, status: int, thinks: float
) -> None:
    network = Network()
    alice = network.join("alice", Transactions())

    def answer_later(user: User[Transactions], event: object) -> None:
        if isinstance(event, RequestReceived):
            final = Response.answer(event.request, status, to_tag="bob")
            network.at(network.now + thinks, lambda: user.party.respond(network.now, event.transaction, final))

    bob = network.join("bob", Transactions(), answer_later)

    def fate(packet: Packet, delays: list[float]) -> list[float]:
        del packet
        return fates[len(network.wire)] if len(network.wire) < len(fates) else delays

    network.treat(fate)
    network.hold(anything, 0.01)
    sent = alice.party.request(network.now, alice.to("bob"), new_request(method, "alice", "bob"))
    network.run(200.0)
    if sent.state is State.PROCEEDING:  # the final response was lost after a 100: nobody sends a 2xx again here
        alice.party.abandon(network.now, sent)
        network.run(300.0)
    requests = [event for event in bob.events if isinstance(event, RequestReceived)]
    finals = [each for each in alice.events if isinstance(each, ResponseReceived) and each.response.status >= 200]
    timeouts = [each for each in alice.events if isinstance(each, TimedOut)]
    assert len(requests) <= 1
    if method == "INVITE" and status == 200:
        assert len({event.response for event in finals}) <= 1, "copies of a 2xx are the user's"
    else:
        assert len(finals) <= 1
    assert len(timeouts) <= 1
    assert not (finals and timeouts)
    if not fates:
        assert len(requests) == 1
    assert network.idle(), "all timers have stopped"
    assert (len(alice.party), len(bob.party)) == (0, 0)


@given(fates=FATES)
def test_a_request_gets_through_unless_all_its_copies_or_all_its_answers_are_lost(fates: list[list[float]]) -> None:
    network = Network()
    alice = network.join("alice", Transactions())

    def ok(user: User[Transactions], event: object) -> None:
        if isinstance(event, RequestReceived):
            user.party.respond(network.now, event.transaction, Response.answer(event.request, 200, to_tag="bob"))

    network.join("bob", Transactions(), ok)
    network.treat(lambda packet, delays: fates[len(network.wire)] if len(network.wire) < len(fates) else delays)
    alice.party.request(network.now, alice.to("bob"), new_request("OPTIONS", "alice", "bob"))
    network.run(100.0)
    answered = any(isinstance(event, ResponseReceived) for event in alice.events)
    in_time = [
        packet
        for packet in network.sent("bob")
        if isinstance(packet.message, Response) and any(at < 32.0 for at in packet.arrivals)
    ]
    assert answered == bool(in_time)
    assert all(isinstance(packet.message, Request) for packet in network.sent("alice"))
