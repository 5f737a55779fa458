"""What a live run may send where: options, refusals with all reasons at once, the ceiling, the banner."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import Typer
from typer.testing import CliRunner

from kirikae.commands.run import (
    AllowExecOption,
    AllowNumberOption,
    AllowTargetOption,
    MaxRateOption,
    TargetOption,
)
from kirikae.live_banner import banner
from kirikae.live_options import LiveOptions, aimed, permission, see_that_it_may_begin
from kirikae.options import OptionError
from sbc.decisions.permission import CEILING, Ceiling, Permission, ceiling, dialling_refused, peak_rate, refusals
from scenarios.model import Drill
from scenarios.rules import check
from tests.made_plans import FREE_DIAL, INBOUND, MOBILE, OSAKA, TOKYO, plan, step

HERE = {"outside": {"send_to": "udp:127.0.0.1:5070"}}
THERE = {
    "outside": {"send_to": "udp:192.0.2.10:5060", "listen_on": "udp:192.0.2.200:5060", "advertise": "198.51.100.7"},
    "inside": {"send_to": "udp:10.0.0.10:5060", "listen_on": "udp:10.0.0.200:5060"},
    "nodes": ["udp:192.0.2.11:5060", "udp:192.0.2.12:5060"],
}
DIES: dict[str, Any] = {
    "name": "tokyo-lost", "at": "10m", "pair": "tokyo-edge", "fails": "active",
    "command": {"run": "ssh lab@192.0.2.11 'systemctl stop sbc'", "undo": "ssh lab@192.0.2.11 ${env:SBC_KEY}"},
}  # fmt: skip
ALL = LiveOptions(
    allow_targets=["192.0.2.0/24", "10.0.0.10"],
    allow_numbers=[FREE_DIAL, TOKYO, "06-1234-*", MOBILE],
    allow_exec=True,
)


def real(target: dict[str, Any], **changes: object) -> Drill:
    return plan(targets={"tokyo-edge": target}, faults=[DIES], **changes)


def test_without_a_real_pair_nothing_needs_to_be_allowed() -> None:
    assert refusals(plan(), Permission()) == []
    assert ceiling(plan(), Permission()) is None
    assert banner(plan(), Permission()) == ""


def test_a_real_pair_on_loopback_needs_no_network_and_no_number() -> None:
    assert refusals(real(HERE), Permission(commands=True)) == []
    assert ceiling(real(HERE), Permission()) is None


def test_everything_that_leaves_this_machine_has_to_be_allowed_and_all_is_told_at_once() -> None:
    with pytest.raises(OptionError) as raised:
        see_that_it_may_begin(real(THERE), Permission())
    said = str(raised.value).splitlines()
    assert [line.partition(" ")[0] for line in said] == [
        *["tokyo-edge:"] * 4,
        *(FREE_DIAL, MOBILE, TOKYO, OSAKA),
        *("tokyo-lost", "Nothing"),
    ]
    assert "udp:10.0.0.10:5060 is not on this machine; say --allow-target 10.0.0.10" in said[1]
    assert "--allow-number 0120-123-456" in said[4]
    assert "--allow-exec" in said[-2]


def test_what_is_allowed_may_begin() -> None:
    see_that_it_may_begin(real(THERE), permission(ALL))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"allow_targets": ["192.0.2.11", "192.0.2.12", "10.0.0.0/8"]}, "udp:192.0.2.10:5060 is not on this machine"),
        ({"allow_targets": ["192.0.2.0/24"]}, "udp:10.0.0.10:5060 is not on this machine"),
        ({"allow_numbers": [FREE_DIAL, TOKYO, MOBILE]}, f"{OSAKA} is not allowed"),
        ({"allow_exec": False}, "--allow-exec"),
        ({"max_rate": "6/m"}, "up to 0.116667 new calls a second, and at most 0.1 are allowed"),
    ],
    ids=str,
)
def test_each_permission_is_needed(change: dict[str, Any], reason: str) -> None:
    options = LiveOptions(
        allow_targets=change.get("allow_targets", ALL.allow_targets),
        allow_numbers=change.get("allow_numbers", ALL.allow_numbers),
        allow_exec=change.get("allow_exec", True),
        max_rate=change.get("max_rate"),
    )
    (said,) = refusals(real(THERE), permission(options))
    assert reason in said


@pytest.mark.parametrize("target", [HERE, THERE], ids=["on loopback", "off loopback"])
def test_emergency_calls_are_never_placed_on_a_real_pair(target: dict[str, Any]) -> None:
    calls = [INBOUND, {"from": "sales", "to": 119, "arrivals": "1/m", "talk": "1m"}]
    said = refusals(real(target, traffic=calls), permission(ALL))
    assert [line for line in said if "119" in line] == [
        "119 is or leads to an emergency number; 110, 118, 119 are never called on a real target, on loopback or not"
    ]
    assert refusals(plan(traffic=calls), Permission()) == []


def test_test_calls_and_overflow_are_dialled_too() -> None:
    verify = [
        step("test", {"verify": "03-3333-3333"}),
        step("test out", {"verify_out": "sales", "to": "080-9999-9999"}),
    ]
    overflow = {"agents": ["sales"], "overflow": {"after": "1m", "to": "03-9999-9999", "trunk": "ntt-tokyo", "team": 1}}
    drill = real(THERE, runbook=verify, queues={"sales": overflow}, numbers={"03-3333-3333": {"trunk": "ntt-tokyo"}})
    refused = [line.partition(" ")[0] for line in refusals(drill, permission(ALL))]
    assert refused == ["03-3333-3333", "080-9999-9999", "03-9999-9999"]


def test_each_number_is_asked_about_again_when_it_is_dialled() -> None:
    allowed = permission(ALL)
    assert dialling_refused(real(THERE), allowed, "+81 6-1234-0000") is None
    for number in ("06-1235-0000", "sales", "110", "+81119", ""):
        assert dialling_refused(real(THERE), allowed, number), number
    assert dialling_refused(real(HERE), Permission(), "06-1235-0000") is None
    assert dialling_refused(real(HERE), Permission(), "184-110") is not None
    assert dialling_refused(plan(), Permission(), "110") is None


def test_the_rate_asked_for_counts_surges_and_the_ceiling_off_loopback_is_low() -> None:
    surge = {**INBOUND, "arrivals": "8/s", "surge": {"at": "tokyo-lost", "factor": 1.5, "for": "1m"}}
    drill = real(THERE, traffic=[surge])
    assert peak_rate(drill) == 12
    assert ceiling(drill, Permission()) == CEILING == 10
    (said,) = refusals(drill, permission(ALL))
    assert "up to 12 new calls a second, and at most 10 are allowed" in said
    assert refusals(drill, replace(permission(ALL), max_rate=12.0)) == []


def test_what_a_real_pair_cannot_be_made_to_do_is_refused() -> None:
    drill = plan(targets={"tokyo-edge": HERE}, faults=[{**DIES, "command": None}])
    (said,) = refusals(drill, Permission(commands=True))
    assert said.startswith("faults[0]: tokyo-edge is a real pair")


# The ceiling


@given(st.floats(0.05, 200), st.lists(st.floats(0, 2), max_size=200))
def test_no_stretch_of_time_holds_more_calls_than_the_ceiling(rate: float, pauses: list[float]) -> None:
    placed, now, limit = list[float](), 0.0, Ceiling(rate)
    for pause in pauses:
        now = limit.earliest(now + pause)
        limit.place(now)
        placed.append(now)
    calls = max(1, int(rate))
    window = calls / rate
    assert all(later - earlier >= window * (1 - 1e-9) for earlier, later in zip(placed, placed[calls:], strict=False))


def test_calls_below_the_ceiling_do_not_wait() -> None:
    limit = Ceiling(2)
    for now in (0.0, 0.1, 1.0, 1.1, 2.0):
        assert limit.earliest(now) == now
        limit.place(now)
    assert limit.earliest(2.05) == 2.1


# Options


WRONG = [
    ({"allow_targets": ["192.0.2.1/24"]}, "192.0.2.0/24, or 192.0.2.1/32 for this address alone"),
    ({"allow_targets": ["0.0.0.0/0"]}, "this is every address there is"),
    ({"allow_targets": ["::/0"]}, "this is every address there is"),
    ({"allow_targets": ["sbc.example"]}, "this is no network"),
    ({"allow_numbers": ["119"]}, "never dialled"),
    ({"allow_numbers": ["0*"]}, "allows too much"),
    ({"allow_numbers": ["312345678"]}, "lacks its leading 0"),
    ({"max_rate": "0/s"}, "no call could ever be placed"),
    ({"max_rate": "50"}, "write 50/s"),
]


@pytest.mark.parametrize(("options", "reason"), WRONG, ids=str)
def test_an_option_that_cannot_be_meant_is_refused_with_its_name(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionError) as raised:
        permission(LiveOptions(**options))
    (name,) = options
    assert str(raised.value).startswith("--" + name.removesuffix("s").replace("_", "-"))
    assert reason in str(raised.value)


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(OptionError) as raised:
        permission(LiveOptions(allow_targets=["x"], allow_numbers=["x", "y"], max_rate="x"))
    assert len(str(raised.value).splitlines()) == 4


def test_the_short_form_aims_at_a_pair_and_leaves_what_the_drill_says_else() -> None:
    short = aimed(plan(), ["tokyo-edge=udp:192.0.2.10:5060"]).targets["tokyo-edge"]
    assert (str(short.outside.send_to), short.inside, short.nodes) == ("udp:192.0.2.10:5060", None, None)
    changed = aimed(real(THERE), ["ｔｏｋｙｏ-edge = tcp:192.0.2.99"]).targets["tokyo-edge"]
    assert str(changed.outside.send_to) == "tcp:192.0.2.99:5060"
    assert str(changed.outside.listen_on) == "udp:192.0.2.200:5060"
    assert changed.inside == real(THERE).targets["tokyo-edge"].inside
    assert aimed(plan(), []) == plan()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tokio-edge=udp:127.0.0.1", "did you mean 'tokyo-edge'"),
        ("tokyo-edge", "this is not PAIR=ADDRESS"),
        ("tokyo-edge=tls:127.0.0.1", "tls follows later"),
        ("tokyo-edge=wss:127.0.0.1", "wss follows later"),
        ("tokyo-edge=sbc.example", "no transport is named"),
        ("=udp:127.0.0.1", "no SBC pair is called ''"),
    ],
)
def test_what_is_no_target_is_refused(text: str, reason: str) -> None:
    with pytest.raises(OptionError) as raised:
        aimed(plan(), [text])
    assert str(raised.value).startswith(f"--target {text}: ")
    assert reason in str(raised.value)


def test_a_pair_is_aimed_at_once() -> None:
    with pytest.raises(OptionError, match="stands twice"):
        aimed(plan(), ["tokyo-edge=udp:127.0.0.1", "tokyo-edge=udp:127.0.0.2"])


def test_a_plan_that_is_aimed_is_held_to_the_same_rules() -> None:
    drill = aimed(real(THERE), ["tokyo-edge=udp:127.0.0.1"])
    assert [(each.id, each.path) for each in check(drill)] == [
        ("not-applicable", ("targets", "tokyo-edge", "outside", "listen_on"))
    ]


def test_the_options_are_read_as_they_are_written() -> None:
    app, got = Typer(), list[LiveOptions]()

    @app.command()
    def command(
        target: TargetOption = None,
        allow_target: AllowTargetOption = None,
        allow_number: AllowNumberOption = None,
        allow_exec: AllowExecOption = False,
        max_rate: MaxRateOption = None,
    ) -> None:
        got.append(LiveOptions(target or (), allow_target or (), allow_number or (), allow_exec, max_rate))

    words = "--target a=udp:127.0.0.1 --allow-target 192.0.2.0/24 --allow-target 10.0.0.0/8 --allow-number 0120* "
    result = CliRunner().invoke(app, (words + "--allow-exec --max-rate 50/s").split())
    assert result.exit_code == 0, result.output
    assert got == [LiveOptions(["a=udp:127.0.0.1"], ["192.0.2.0/24", "10.0.0.0/8"], ["0120*"], True, "50/s")]
    assert CliRunner().invoke(app, []).exit_code == 0
    assert got[1] == LiveOptions()


def test_ipv6_is_refused_before_anything_is_sent() -> None:
    (reason,) = refusals(real({"outside": {"send_to": "udp:[::1]:5060"}}), Permission(commands=True))
    assert "is of IPv6, which follows later" in reason


# The banner


def test_the_banner_says_what_is_sent_where_and_done_to_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SBC_KEY", "s3cret")
    assert banner(real(THERE), permission(ALL)).splitlines() == [
        "This sends real SIP to real systems.",
        "  to        tokyo-edge: udp:192.0.2.10:5060, heard at udp:192.0.2.200:5060 as 198.51.100.7",
        "            tokyo-edge, inside: udp:10.0.0.10:5060, heard at udp:10.0.0.200:5060",
        "            tokyo-edge, watched by OPTIONS every 200ms",
        "            tokyo-edge, nodes asked by OPTIONS: udp:192.0.2.11:5060, udp:192.0.2.12:5060",
        "  calls     up to 0.116667/s on average, never more than 10/s, for 1h",
        "  numbers   0120-123-456, 090-1234-5678, 03-1234-5678, 06-1234-5678",
        "  never     110, 118, 119",
        "  runs      ssh lab@192.0.2.11 'systemctl stop sbc'   (tokyo-lost at 10m)",
        '  undone by ssh lab@192.0.2.11 "${SBC_KEY}"',
    ]
