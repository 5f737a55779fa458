"""Our registrar asked by sipsak, SIPp and baresip, and our phone at a SIPp that challenges it."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sbc.decisions.registration import State
from sbc.sip.digest import Algorithm, DigestClient, DigestServer, secret
from sbc.sip.fields import Via
from sbc.sip.ids import Ids
from sbc.sip.message import Request, Response
from sbc.sip.registrar import Binding, Registrar, Terms
from sbc.sip.registration import Register, RegistrationClient, Up
from sbc.sip.transaction import Flow, RequestReceived, ResponseReceived, TimedOut
from sbc.sip.transactions import Transactions
from sbc.sip.uri import SipUri
from tests.sip_peers import baresip, good, sipp, sipp_server, sipsak
from tests.sip_shell import HOST, Shell, free_port

REALM = "lab.example.jp"
PASSWORD = "kyoto-station"  # noqa: S105 # everybody may know it
ALICE = SipUri(HOST, "alice")


def registrar(terms: Terms | None = None) -> Registrar:
    """A registrar that lets Alice in.

    MD5 is all that these programs know: where SHA-256 is offered too, baresip does not answer at all, sipsak and SIPp
    only if MD5 comes first.
    """

    def kept(user: str, algorithm: Algorithm) -> str | None:
        return secret(algorithm, user, REALM, PASSWORD) if user == "alice" else None

    guard = DigestServer(REALM, secrets.token_bytes(16), kept, algorithms=[Algorithm.MD5])
    return Registrar(Ids(secrets.randbits), terms or Terms(), guard)


def desk(registrar: Registrar) -> Callable[[Shell[Transactions], Any], None]:
    """The user of a transaction layer who passes what comes to a registrar."""

    def react(shell: Shell[Transactions], event: Any) -> None:
        if isinstance(event, RequestReceived):
            if event.request.method == "REGISTER":
                response = registrar.register(shell.now, event.request, event.transaction.flow)
            else:
                status = 200 if event.request.method == "OPTIONS" else 405
                allow = ("Allow", "OPTIONS, REGISTER")
                response = Response.answer(event.request, status, to_tag="desk", headers=[allow])
            shell.core.respond(shell.now, event.transaction, response)

    return react


def layer(_: Shell[Transactions]) -> Transactions:
    return Transactions()


def statuses(shell: Shell[Any]) -> list[int]:
    """The responses that went out."""
    return [int(kind.split()[0]) for kind in shell.kinds(sent=True)]


def bindings(registrar: Registrar, shell: Shell[Any]) -> list[Binding]:
    return registrar.contacts(shell.now, ALICE)


@pytest.mark.lab(needs=["sipsak"])
def test_sipsak_is_content_with_our_answer_to_options(tmp_path: Path) -> None:
    with Shell(layer, desk(registrar())) as shell:
        with sipsak(shell, tmp_path, "-s", f"sip:{HOST}:{shell.port}") as asking:
            shell.run(asking.has_ended)
        assert asking.status == 0, asking.printed
        assert "SIP/2.0 200 OK" in asking.printed
        assert statuses(shell) == [200]


@pytest.mark.lab(needs=["sipsak"])
def test_sipsak_registers_with_its_password(tmp_path: Path) -> None:
    ours = registrar()
    with Shell(layer, desk(ours)) as shell:
        contact = SipUri(HOST, "alice", 4000)
        options = ["-U", "-C", str(contact), "-x", "600", "-u", "alice", "-a", PASSWORD]
        with sipsak(shell, tmp_path, *options, "-s", f"sip:alice@{HOST}:{shell.port}") as asking:
            shell.run(asking.has_ended)
        assert asking.status == 0, asking.printed
        assert statuses(shell) == [401, 200]
        [binding] = bindings(ours, shell)
        assert binding.contact.uri == contact
        assert 590 < binding.expires_at <= 600 + shell.now


@pytest.mark.lab(needs=["sipsak"])
def test_sipsak_is_not_let_in_with_a_wrong_password(tmp_path: Path) -> None:
    ours = registrar()
    with Shell(layer, desk(ours)) as shell:
        options = ["-U", "-C", "sip:alice@127.0.0.1:4000", "-u", "alice", "-a", "wrong"]
        with sipsak(shell, tmp_path, *options, "-s", f"sip:alice@{HOST}:{shell.port}") as asking:
            shell.run(asking.has_ended)
        assert asking.status == 2
        assert "authorization failed" in asking.printed
        assert statuses(shell) == [401, 401]
        assert bindings(ours, shell) == []


@pytest.mark.lab(needs=["sipp"])
@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_registers_with_its_password(tmp_path: Path, transport: str) -> None:
    ours = registrar()
    with Shell(layer, desk(ours)) as shell:
        options = ["-au", "alice", "-ap", PASSWORD, "-t", transport, "-r", "20"]
        with sipp(shell, tmp_path, "register.xml", *options, calls=5) as phones:
            shell.run(phones.has_ended)
        assert phones.verdict() == good(5)
        assert sorted(statuses(shell)) == [200] * 5 + [401] * 5
        assert len(bindings(ours, shell)) == 5


@pytest.mark.lab(needs=["sipp"])
def test_sipp_is_not_let_in_with_a_wrong_password(tmp_path: Path) -> None:
    ours = registrar()
    with Shell(layer, desk(ours)) as shell:
        with sipp(shell, tmp_path, "register.xml", "-au", "alice", "-ap", "wrong") as phones:
            shell.run(phones.has_ended)
        verdict = phones.verdict()
        assert (verdict.status, verdict.successful, verdict.failed) == (1, 0, 1)
        assert "while expecting '200'" in verdict.complaints
        assert bindings(ours, shell) == []


@pytest.mark.lab(needs=["baresip"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_baresip_registers_refreshes_in_time_and_signs_out(tmp_path: Path, transport: str) -> None:
    ours = registrar(Terms(shortest=1, longest=4))
    with Shell(layer, desk(ours)) as shell:
        account = (
            f"<sip:alice@{HOST}:{shell.port};transport={transport}>;auth_user=alice;auth_pass={PASSWORD};regint=60"
        )
        with baresip(shell, tmp_path, account) as phone:
            shell.run(lambda: len(shell.sent("200 REGISTER")) == 2)
            first, second = (each.at for each in shell.wire if each.what == "200 REGISTER")
            [binding] = bindings(ours, shell)
            shell.run(lambda: phone.heard("REGISTER_OK"))

            phone.ask("quit")
            shell.run(phone.program.has_ended)
        assert 1 < second - first < 4, "granted 4 s, so refreshed before"
        assert isinstance(binding.contact.uri, SipUri)
        assert (binding.contact.uri.host, binding.source.reliable) == (HOST, transport == "tcp")  # type: ignore[attr-defined] # a flow
        assert phone.program.status == 0
        assert statuses(shell) == [401, 200] * 3
        assert [len(each.contacts) for each in shell.sent("200 REGISTER")] == [1, 1, 0]
        assert bindings(ours, shell) == []


@pytest.mark.lab(needs=["baresip"])
def test_baresip_tells_its_user_of_a_wrong_password(tmp_path: Path) -> None:
    ours = registrar()
    with Shell(layer, desk(ours)) as shell:
        account = f"<sip:alice@{HOST}:{shell.port}>;auth_user=alice;auth_pass=wrong"
        with baresip(shell, tmp_path, account) as phone:
            shell.run(lambda: phone.heard("REGISTER_FAIL"))
        assert set(statuses(shell)) == {401}
        assert bindings(ours, shell) == []


class Phone:
    """Our registration client on a transaction layer of its own."""

    def __init__(self, shell: Shell["Phone"], port: int, password: str) -> None:
        names, flow = Ids(secrets.randbits), shell.to(port)

        def via() -> Via:
            own = shell.via(flow)
            return own._replace(params=own.params.put("branch", names.branch()))

        contact, there = SipUri(HOST, "alice", shell.port), SipUri(HOST, port=port)
        login = DigestClient("alice", password)
        self.client = RegistrationClient(ALICE, contact, [there], names, via, login=login)
        self._transactions = Transactions()
        self._flow = flow
        self._now = 0.0

    def receive(self, now: float, flow: Flow, message: Request | Response) -> None:
        self._now = now
        self._transactions.receive(now, flow, message)

    def transport_error(self, now: float, flow: Flow) -> None:
        self._now = now
        self._transactions.transport_error(now, flow)

    def fire(self, now: float) -> None:
        self._now = now
        self._transactions.fire(now)
        self.client.fire(now)

    def deadline(self) -> float:
        return min(self._transactions.deadline(), self.client.deadline())

    def take(self) -> Sequence[Any]:
        outputs = self._transactions.take()
        for output in outputs:
            match output:
                case ResponseReceived(transaction, response):
                    self.client.answered(self._now, transaction.request, response)
                case TimedOut(transaction):
                    self.client.unanswered(self._now, transaction.request)
        told = self.client.take()
        for each in told:
            if isinstance(each, Register):
                self._transactions.request(self._now, self._flow, each.request)
        return [*outputs, *told]


@pytest.mark.lab(needs=["sipp"])
def test_our_phone_answers_the_challenge_of_sipp_and_refreshes_in_time(tmp_path: Path) -> None:
    port = free_port()
    with Shell(lambda shell: Phone(shell, port, PASSWORD)) as shell:
        with sipp_server(shell, tmp_path, port, "registrar.xml") as server:
            shell.core.client.set(shell.now)
            shell.run(server.has_ended)
        assert server.verdict() == good(1)
        assert shell.told(Up) == [Up(0, 2), Up(0, 2)]
        first, second = (each.at for each in shell.wire if each.what == "200 REGISTER")
        assert 0.9 < second - first < 2, "granted 2 s, so refreshed before"


@pytest.mark.lab(needs=["sipp"])
def test_our_phone_with_a_wrong_password_does_not_insist(tmp_path: Path) -> None:
    port = free_port()
    with Shell(lambda shell: Phone(shell, port, "wrong")) as shell:
        with sipp_server(shell, tmp_path, port, "registrar.xml") as server:
            shell.core.client.set(shell.now)
            shell.run(server.has_ended)
        assert server.verdict() == good(1), "it has sent its 403"
        assert shell.told(Up) == []
        assert len(shell.sent("REGISTER")) == 2
        assert len(shell.received("403 REGISTER")) == 1
        assert shell.core.client.state is State.WAITING
