"""`targets:`, `live:` and `command:` of a drill: how they are read, what they refuse, which rules they are held to."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.addresses import (
    Address,
    AddressError,
    PublicAddress,
    Transport,
    parse_address,
    parse_public_address,
)
from scenarios.loader import load_text
from scenarios.model import HeaderKey
from scenarios.problems import DrillError
from scenarios.rules import check
from tests.drills import drill
from tests.test_cli import PLAN

# Addresses

WRITTEN = [
    ("udp:192.0.2.10:5060", Address(Transport.UDP, "192.0.2.10", 5060)),
    ("tcp:192.0.2.10", Address(Transport.TCP, "192.0.2.10", 5060)),
    (" UDP:１９２.0.2.10：5070 ", Address(Transport.UDP, "192.0.2.10", 5070)),
    ("tcp:[2001:db8::1]:5061", Address(Transport.TCP, "2001:db8::1", 5061)),
    ("udp:[2001:0DB8:0::1]", Address(Transport.UDP, "2001:db8::1", 5060)),
    ("udp:[::ffff:192.0.2.10]:1", Address(Transport.UDP, "192.0.2.10", 1)),
    ("udp:[::ffff:127.0.0.1]", Address(Transport.UDP, "127.0.0.1", 5060)),
]


@pytest.mark.parametrize(("text", "meant"), WRITTEN)
def test_an_address_is_read_as_people_write_it(text: str, meant: Address) -> None:
    assert parse_address(text) == meant
    assert parse_address(str(meant)) == meant


NO_ADDRESS = [
    ("tls:192.0.2.10:5061", "follows later"),
    ("ws:192.0.2.10:80", "follows later"),
    ("sip:192.0.2.10", "this is a URI"),
    ("upd:192.0.2.10:5060", "did you mean 'udp'"),
    ("192.0.2.10:5060", "no transport is named"),
    ("udp", "no transport"),
    ("udp:sbc.example:5060", "could lead elsewhere"),
    ("udp:localhost", "could lead elsewhere"),
    ("udp:2001:db8::1:5060", "stands in brackets"),
    ("udp:192.0.2.10:0", "port 0 does not exist"),
    ("udp:192.0.2.10:65536", "port 65536 does not exist"),
    ("udp:192.0.2.10:99999999999999999999", "does not exist"),
    ("udp:192.0.2.10:", "not an address"),
    ("udp:0.0.0.0:5060", "not the address of one host"),
    ("udp:[::]:5060", "not the address of one host"),
    ("udp:224.0.1.75", "not the address of one host"),
    ("udp:255.255.255.255", "not the address of one host"),
    ("udp:[fe80::1%eth0]:5060", "of one link only"),
    ("udp:0192.0.2.10", "no IP address"),
    ("", "no transport"),
    ("udp:" + "1" * 100, "not an address"),
    (5060, "not an address"),
    (None, "not an address"),
]


@pytest.mark.parametrize(("text", "reason"), NO_ADDRESS)
def test_what_is_no_address_is_refused(text: object, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        parse_address(text)


@given(st.text(max_size=90) | st.ip_addresses().map("udp:{}".format) | st.ip_addresses().map("[{}]:1".format))
def test_any_text_is_refused_or_an_address_that_is_read_again_as_it_is_written(text: str) -> None:
    for parse in (parse_address, parse_public_address):
        with suppress(AddressError):
            assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"])
def test_loopback_stays_on_this_machine(text: str) -> None:
    assert parse_address(f"udp:{text}").loopback
    assert not parse_address("udp:192.0.2.10").loopback
    assert not parse_address("udp:[::ffff:192.0.2.10]").loopback


def test_an_address_seen_by_others_has_no_transport_and_may_have_no_port() -> None:
    assert parse_public_address("198.51.100.7") == PublicAddress("198.51.100.7", None)
    assert parse_public_address("[2001:db8::7]:5062") == PublicAddress("2001:db8::7", 5062)
    with pytest.raises(AddressError, match="transport is that of 'listen_on'"):
        parse_public_address("udp:198.51.100.7")


# What a drill says

WHOLE = """
targets:
  edge:
    outside: {send_to: udp:192.0.2.10:5060, listen_on: udp:192.0.2.200:5060, advertise: 198.51.100.7}
    inside: {send_to: tcp:10.0.0.10:5060, listen_on: tcp:10.0.0.200:5070}
    key: {header: X-Correlation-ID}
    nodes: [udp:192.0.2.11:5060, udp:192.0.2.12:5060]
live: {for: 2m, traffic: 20%, timeline: 50%}
"""


def test_a_drill_says_where_its_real_pairs_are() -> None:
    found = load_text(PLAN + WHOLE, "plan").drill
    target = found.targets["edge"]
    assert str(target.outside.send_to) == "udp:192.0.2.10:5060"
    assert str(target.outside.advertise) == "198.51.100.7"
    assert target.inside is not None
    assert target.key == HeaderKey(header="X-Correlation-ID")
    assert [str(address) for address in target.addresses] == [
        "udp:192.0.2.10:5060", "tcp:10.0.0.10:5060", "udp:192.0.2.11:5060", "udp:192.0.2.12:5060",
    ]  # fmt: skip
    assert (found.live.lasts, found.live.traffic, found.live.timeline) == (120, 0.2, 0.5)


def test_a_drill_that_says_nothing_is_scaled_by_nothing_and_aimed_at_nothing() -> None:
    found = load_text(PLAN, "plan").drill
    assert (found.targets, found.live.lasts, found.live.traffic, found.live.timeline) == ({}, None, 1, 1)


def test_the_key_is_the_number_unless_said_otherwise() -> None:
    text = "targets: {edge: {outside: {send_to: udp:192.0.2.10}}}\n"
    assert load_text(PLAN + text, "plan").drill.targets["edge"].key == "number"


TWIN = "{send_to: udp:127.0.0.2, listen_on: udp:127.0.0.9}"
HERE = "outside: {send_to: udp:127.0.0.1:5060}"
WRONG = [
    ("targets: {egde: {HERE}}", "targets.egde", "did you mean 'edge'"),
    ("targets: {edge: {}}", "targets.edge.outside", "this field is missing"),
    ("targets: {edge: {outside: {}}}", "targets.edge.outside.send_to", "this field is missing"),
    ("targets: {edge: {outside: {sent_to: udp:127.0.0.1}}}", "targets.edge.outside.sent_to", "did you mean 'send_to'"),
    ("targets: {edge: {outside: {send_to: wss:127.0.0.1}}}", "targets.edge.outside.send_to", "follows later"),
    ("targets: {edge: {HERE, key: nubmer}}", "targets.edge.key", "did you mean 'number'"),
    ("targets: {edge: {HERE, key: {header: Call-ID}}}", "targets.edge.key.header", "writes Call-ID anew"),
    ("targets: {edge: {HERE, key: {header: 'a b'}}}", "targets.edge.key.header", "not the name of a header"),
    ("targets: {edge: {HERE, key: {heder: X-A}}}", "targets.edge.key.heder", "did you mean 'header'"),
    ("targets: {edge: {HERE, nodes: [udp:127.0.0.2]}}", "targets.edge.nodes", "too few entries"),
    (
        "targets: {edge: {HERE, nodes: [udp:127.0.0.2, udp:127.0.0.3, udp:127.0.0.4]}}",
        "targets.edge.nodes",
        "too many entries",
    ),
    (
        "targets: {edge: {HERE, nodes: [udp:127.0.0.2, udp:127.0.0.2:5060]}}",
        "targets.edge.nodes[1]",
        "the same address",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:127.0.0.1, advertise: 127.0.0.2}}}",
        "targets.edge.outside.advertise",
        "'listen_on' with it",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:127.0.0.1, listen_on: udp:127.0.0.1:5060}}}",
        "targets.edge.outside.listen_on",
        "is where calls are sent to",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:127.0.0.1, listen_on: udp:192.0.2.1}}}",
        "targets.edge.outside.listen_on",
        "on loopback",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:192.0.2.9, listen_on: udp:127.0.0.1}}}",
        "targets.edge.outside.listen_on",
        "on loopback",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:192.0.2.9, listen_on: 'udp:[2001:db8::1]'}}}",
        "targets.edge.outside.listen_on",
        "do not arrive at IPv6",
    ),
    (
        "targets: {edge: {outside: {send_to: udp:127.0.0.1, listen_on: udp:127.0.0.9}, inside: TWIN}}",
        "targets.edge.inside.listen_on",
        "could be of another side",
    ),
    ("live: {traffic: 0%}", "live.traffic", "above 0%"),
    ("live: {timeline: 0%}", "live.timeline", "above 0%"),
    ("live: {traffic: 101%}", "live.traffic", "more than everything"),
    ("live: {timeline: 0.1}", "live.timeline", "write 10%"),
    ("live: {for: 0s}", "live.for", "above 0"),
    ("live: {timers: 10%}", "live.timers", "unknown field"),
]


@pytest.mark.parametrize(("text", "path", "reason"), WRONG, ids=range(len(WRONG)))
def test_what_a_drill_cannot_mean_is_refused_with_its_place(text: str, path: str, reason: str) -> None:
    with pytest.raises(DrillError) as raised:
        load_text(f"{PLAN}{text.replace('HERE', HERE).replace('TWIN', TWIN)}\n", "plan")
    (problem,) = raised.value.problems
    assert problem.path == path
    assert reason in str(problem)
    assert problem.mark is not None
    assert problem.mark.line == PLAN.count("\n") + 1


FAULT = "pair: edge, fails: active}"
COMMANDS = [
    ("command: {run: stop}", "faults[0].command.undo", "this field is missing: What puts it right"),
    ("command: {undo: start}", "faults[0].command.run", "this field is missing"),
    ("command: {run: stop, undo: ''}", "faults[0].command.undo", "no program is named"),
    ("command: {run: [], undo: start}", "faults[0].command.run", "no program is named"),
    ("command: {run: stop | tee, undo: start}", "faults[0].command.run", "'|' means something to a shell only"),
    ("command: {run: stop, undo: 'start; true'}", "faults[0].command.undo", "';' means something to a shell only"),
    ("command: {run: 'stop \"x', undo: start}", "faults[0].command.run", "no closing quotation"),
    ("command: {run: 'stop ${HOME}', undo: start}", "faults[0].command.run", "${env:NAME}"),
    ("command: {run: stop, undo: start, timeout: 0}", "faults[0].command.timeout", "above 0"),
    ("command: {run: stop, undo: start, timeout: 1h}", "faults[0].command.timeout", "at most 600"),
    ("command: {run: stop, undo: start, undone: x}", "faults[0].command.undone", "unknown field"),
    ("command: stop", "faults[0].command", "fields such as run, undo"),
]


@pytest.mark.parametrize(("command", "path", "reason"), COMMANDS)
def test_a_command_that_could_not_be_run_or_undone_is_refused(command: str, path: str, reason: str) -> None:
    with pytest.raises(DrillError) as raised:
        load_text(PLAN.replace(FAULT, f"{FAULT[:-1]}, {command}}}"), "plan")
    (problem,) = raised.value.problems
    assert problem.path == path
    assert reason in str(problem)


def test_a_command_is_for_gear_of_the_users_own() -> None:
    with pytest.raises(DrillError, match="the far end is kirikae itself"):
        load_text(PLAN.replace(FAULT, "trunk: ntt, command: {run: stop, undo: start}}"), "plan")


def test_a_target_can_be_changed_from_the_command_line() -> None:
    changes = ["targets.edge.outside.send_to=tcp:192.0.2.99:5070", "live.traffic=5%"]
    found = load_text(PLAN + WHOLE, "plan", changes).drill
    assert (str(found.targets["edge"].outside.send_to), found.live.traffic) == ("tcp:192.0.2.99:5070", 0.05)


# Rules

LOOPBACK = {"outside": {"send_to": "udp:127.0.0.1:5070"}}
NODES = {"nodes": ["udp:127.0.0.2:5070", "udp:127.0.0.3:5070"]}
DIES: dict[str, Any] = {"name": "dies", "at": "1m", "pair": "edge", "fails": "active"}
COMMAND = {"command": {"run": "stop", "undo": "start"}}


def found(fault: dict[str, Any], target: dict[str, Any], **changes: object) -> list[tuple[str, str]]:
    plan = drill(faults=[fault], targets={"edge": target}, **changes)
    return [(each.id, ".".join(map(str, each.path))) for each in check(plan) if each.id != "orphan-part"]


def test_a_fault_with_a_command_needs_nodes_that_can_be_asked() -> None:
    assert found(DIES | COMMAND, LOOPBACK | NODES) == []
    assert found(DIES | COMMAND, LOOPBACK) == [("command-without-nodes", "faults.0.command")]


@pytest.mark.parametrize("where", [{"pair": "edge", "fails": "active"}, {"site": "tokyo"}])
def test_a_fault_of_a_real_pair_needs_a_command(where: dict[str, str]) -> None:
    fault = {"name": "dies", "at": "1m", **where}
    assert found(fault, LOOPBACK) == [("out-of-hand", "faults.0")]
    assert found({**fault, **COMMAND}, LOOPBACK | NODES) == []
    assert found({"name": "cut", "at": "1m", "trunk": "ntt"}, LOOPBACK) == []


@pytest.mark.parametrize("does", [{"drain": "edge"}, {"resume": "edge"}, {"switch": "edge"}], ids=str)
def test_a_step_cannot_be_taken_on_a_real_pair(does: dict[str, str]) -> None:
    step = {"step": "do", "by": "x", "starts": {"at": "10s"}, "takes": "1s", "does": does}
    assert ("out-of-hand", "runbook.0.does") in found(DIES | COMMAND, LOOPBACK | NODES, runbook=[step])
    assert "out-of-hand" not in [each.id for each in check(drill(runbook=[step]))]


@pytest.mark.parametrize(
    ("live", "pointless"),
    [({"for": "60s"}, True), ({"for": "61s"}, False), ({"for": "30s", "timeline": "49%"}, False), ({}, False)],
    ids=str,
)
def test_a_live_run_that_ends_before_the_first_fault_shows_nothing(live: dict[str, str], pointless: bool) -> None:
    assert (found(DIES | COMMAND, LOOPBACK | NODES, live=live) == [("live-without-fault", "live.for")]) is pointless


def test_hours_cannot_be_scaled() -> None:
    run = {"for": "5m", "warm": False, "start": "09:00"}
    traffic = [{"to": "03-1234-5678", "arrivals": {"profile": {"08:00": "1/s", "09:02": "2/s"}}, "talk": "1s"}]
    plan = drill(run=run, traffic=traffic, live={"timeline": "50%"})
    assert [(each.id, each.path) for each in check(plan)] == [("not-applicable", ("live", "timeline"))]
    assert check(drill(run=run, traffic=traffic, live={"for": "1m"})) == []


def test_only_a_pair_with_one_service_address_can_be_real() -> None:
    pair = {"site": "tokyo", "ports": 9, "mode": "active-active", "detect": {"by": "failure"}}
    plan = drill(sbc_pairs={"edge": pair}, targets={"edge": LOOPBACK})
    assert [(each.id, each.path) for each in check(plan)] == [("not-applicable", ("targets", "edge"))]


def test_two_pairs_at_one_address_cannot_be_told_apart() -> None:
    pairs = {name: {"site": "tokyo", "ports": 9} for name in ("edge", "core")}
    plan = drill(sbc_pairs=pairs, targets={"edge": LOOPBACK, "core": LOOPBACK})
    assert [(each.id, each.path) for each in check(plan)] == [
        ("duplicate-name", ("targets", "core", "outside", "send_to"))
    ]


def test_both_sides_of_a_pair_may_have_one_address_and_are_told_apart_by_where_they_are_heard() -> None:
    sides = {
        side: {"send_to": "udp:127.0.0.1:5070", "listen_on": f"udp:127.0.0.9:{port}"}
        for side, port in (("outside", 5071), ("inside", 5072))
    }
    assert check(drill(targets={"edge": sides})) == []
