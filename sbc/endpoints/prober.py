"""Probes: OPTIONS to several targets at a fixed interval, each with a time-out of its own (S10)."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sbc.endpoints.wire import Address, Path
from sbc.sip.agenda import Agenda
from sbc.sip.errors import ParseError
from sbc.sip.fields import Address as NameAddr
from sbc.sip.fields import Via
from sbc.sip.grammar import Params
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.transaction import ClientTransaction, ResponseReceived, Send, TimedOut, TransportFailed
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri

METHOD: Final = "OPTIONS"


class Verdict(NamedTuple):
    """What a probe has shown of a target, by index: any final response will do, for who refuses is alive."""

    target: int
    answered: bool


class Prober:
    """Probes all targets together; a probe that has run out of time is not sent again, and no answer to it counts."""

    def __init__(
        self,
        ids: Ids,
        source: Callable[[], Address | None],
        targets: Sequence[Address],
        *,
        every: float,
        timeout: float,
        first: float,
    ) -> None:
        """``source``: where probes are sent from, None for not at all at the moment.

        ``every``, ``timeout``: seconds; ``first``: when the first is sent.
        """
        self._ids = ids
        self._source = source
        self._targets = targets
        self._every = every
        self._timeout = timeout
        self._next = first
        self._transactions = Transactions()
        self._late: Agenda[ClientTransaction, None] = Agenda()
        self._open: dict[ClientTransaction, int] = {}
        """Probes that have been neither answered nor given up, and the target of each."""
        self._out: list[Send | Verdict] = []

    def receive(self, now: float, flow: Path, response: Response) -> None:
        """Take in a response to OPTIONS; what answers no probe is dropped."""
        try:
            self._transactions.receive(now, flow, response)
        except ParseError:
            return
        self._hear()

    def transport_error(self, now: float, flow: Path) -> None:
        """Take in that a flow is broken, or that what was sent on it was refused."""
        self._transactions.transport_error(now, flow)
        self._hear()

    def deadline(self) -> float:
        """Return when :meth:`fire` has to be called next."""
        return min(self._next, self._late.next(), self._transactions.deadline())

    def fire(self, now: float) -> None:
        """Do all that is due."""
        while (late := self._late.take(now)) is not None:
            self._transactions.abandon(now, late[0])
            self._close(late[0], answered=False)
        self._transactions.fire(now)
        self._hear()
        while self._next <= now:
            self._probe(now)
            self._next += self._every

    def take(self) -> list[Send | Verdict]:
        """Return what is to be sent and told since the last time, in order."""
        out, self._out = self._out, []
        return out

    def _probe(self, now: float) -> None:
        source = self._source()
        if source is None:
            return
        for index, target in enumerate(self._targets):
            uri = SipUri(target.host, port=target.port)
            request = Request.build(
                METHOD,
                uri,
                via=Via("UDP", source.host, source.port, Params([("branch", self._ids.branch())])),
                from_=NameAddr(SipUri(source.host, port=source.port)).with_tag(self._ids.tag()),
                to=NameAddr(uri),
                call_id=self._ids.word(),
                cseq=1,
            )
            transaction = self._transactions.request(now, Path(source, target), request)
            self._open[transaction] = index
            self._late.set(now + self._timeout, transaction, None)
        self._hear()

    def _close(self, transaction: ClientTransaction, *, answered: bool) -> None:
        target = self._open.pop(transaction, None)
        if target is not None:
            self._out.append(Verdict(target, answered))

    def _hear(self) -> None:
        for output in self._transactions.take():
            match output:
                case Send():
                    self._out.append(output)
                case ResponseReceived(transaction, response) if response.status >= 200:
                    self._close(transaction, answered=True)
                case TimedOut(ClientTransaction() as own) | TransportFailed(ClientTransaction() as own):
                    self._close(own, answered=False)
                case _:
                    pass
