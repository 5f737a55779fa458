"""References: every name of a drill leads somewhere, and the fields of a part fit together."""

import re
from pathlib import Path

import pytest

from scenarios.loader import load_text
from scenarios.model import Drill
from scenarios.problems import DrillError, Finding, Severity
from scenarios.rules.references import Declared, dangling

GOOD = (Path(__file__).parent.parent / "scenarios" / "drills" / "tokyo-osaka-dr.kirikae.yaml").read_text(
    encoding="utf-8"
)

# A drill that refers to something in every way there is.
FULL = """\
kirikae: 1
name: every reference
run: {for: 1h, warm: false, start: 09:00}
sites: {tokyo: {}, osaka: {role: secondary}}
sbc_pairs: {edge: {site: tokyo, ports: 10}}
trunks: {ntt: {via: edge, channels: 10, site: osaka, carrier: NTT Com}}
numbers:
  0120-123-456: {to: 03-1234-5678, tap: 5}
  03-1234-5678: {trunk: ntt, queue: line}
default_caller: 03-1234-5678
ports: {tenant: 20}
queues:
  line:
    agents: [sales]
    widen: [{after: 1m, agents: [sales]}]
    overflow: {after: 2m, to: 03-9999-9999, trunk: ntt, team: 3}
offices: {honsha: {}}
agents:
  sales: {count: 5, softphone: {sites: [tokyo, osaka], login: true}, caller_number: 0120-123-456, office: honsha}
traffic:
  - {to: 0120-123-456, arrivals: 1/m, talk: 1m, surge: {at: lost, factor: 2, for: 5m}}
  - {from: sales, to: 090-1234-5678, arrivals: 1/m, talk: 1m, shows: 03-1234-5678}
  - {from: sales, to: 119, arrivals: 1/m, talk: 1m}
faults:
  - {name: lost, at: 10m, site: tokyo, for: 10m}
  - {name: node, at: 20m, pair: edge, fails: active}
  - {name: line, at: 30m, trunk: ntt}
  - {name: registrar, at: 31m, registrar: osaka}
  - {name: office, at: 32m, office: honsha}
  - {name: identity, at: 33m, identity: true}
  - {name: restricted, at: 34m, carrier: NTT Com, refuses: 50%}
runbook:
  - {step: one, by: administrator, starts: {after: lost}, takes: 1m, does: {activate: osaka}}
  - {step: two, by: administrator, after: one, takes: 1m, does: {default_caller: 03-1234-5678}}
  - {step: three, by: agents, after: [one, two], takes: 1m, does: {softphones: sales, site: osaka}}
  - {step: four, by: administrator, after: three, takes: 1m, does: {caller_numbers: sales, to: 03-1234-5678}}
  - {step: five, by: administrator, after: four, takes: 1m, does: {route: 0120-123-456, to: 03-1234-5678}}
  - {step: six, by: administrator, after: five, takes: 1m, does: {verify: 0120-123-456}}
  - {step: 切戻し（全部）, by: vendor, after: five, takes: 1m, does: {deactivate: osaka},
     when: {repaired: lost, in_service: tokyo, idle: edge, registered: sales, share: 90%, site: osaka}}
expect:
  - asr{number=+81 120 123 456, trunk=ntt, site=tokyo, queue=line, direction=in} > 50%
  - asr{queue=sales} > 50%
  - blocked{limit=tenant} < 5
  - ports_peak{limit=ntt} < 5
  - ports_peak{limit=edge} < 5
  - ports_peak{limit=0120123456} < 5
  - takeover_time{pair=edge} < 5s
  - softphones_back{agents=sales} < 5m
  - register_peak{site=osaka} < 5/s
  - registration_p95{agents=sales} < 5m
  - asr{number=119} > 50%
  - asr{number=+81 90 1234 5678} > 50%
  - runbook_time{step=切戻し（全部）, since=five} < 50m
"""


def problems(text: str) -> dict[str, str]:
    """Return what is wrong with a drill by the path of the field."""
    with pytest.raises(DrillError) as error:
        load_text(text, "d.yaml")
    return {problem.path: str(problem) for problem in error.value.problems}


def but(old: str, new: str) -> str:
    """Return the full drill with its first ``old`` replaced."""
    assert old in FULL
    return FULL.replace(old, new, 1)


def findings(drill: Drill) -> list[Finding]:
    return dangling(drill, Declared.by(drill))


def test_a_drill_whose_names_all_lead_somewhere_has_no_finding() -> None:
    for text in (FULL, GOOD):
        assert findings(load_text(text, "d.yaml").drill) == []


# Where a name is used in the full drill (old and new text), the path of that use, the name meant.
USES = [
    ("{site: tokyo, ports", "{site: tokio, ports", "sbc_pairs.edge.site", "tokyo"),
    ("via: edge", "via: egde", "trunks.ntt.via", "edge"),
    ("channels: 10, site: osaka", "channels: 10, site: osuka", "trunks.ntt.site", "osaka"),
    ("{to: 03-1234-5678, tap", "{to: 03-1234-5679, tap", "numbers.0120-123-456.to", "03-1234-5678"),
    ("{trunk: ntt, queue", "{trunk: nttt, queue", "numbers.03-1234-5678.trunk", "ntt"),
    ("queue: line}", "queue: lines}", "numbers.03-1234-5678.queue", "line"),
    ("default_caller: 03-1234-5678\n", "default_caller: 03-1234-5679\n", "default_caller", "03-1234-5678"),
    ("agents: [sales]", "agents: [sale]", "queues.line.agents[0]", "sales"),
    ("{after: 1m, agents: [sales]", "{after: 1m, agents: [sale]", "queues.line.widen[0].agents[0]", "sales"),
    ("9999, trunk: ntt", "9999, trunk: nttt", "queues.line.overflow.trunk", "ntt"),
    ("sites: [tokyo, osaka]", "sites: [tokyo, osuka]", "agents.sales.softphone.sites[1]", "osaka"),
    ("caller_number: 0120-123-456", "caller_number: 0120-123-457", "agents.sales.caller_number", "0120-123-456"),
    ("- {to: 0120-123-456", "- {to: 0120-123-457", "traffic[0].to", "0120-123-456"),
    ("surge: {at: lost", "surge: {at: lots", "traffic[0].surge.at", "lost"),
    ("from: sales", "from: sale", "traffic[1].from", "sales"),
    ("shows: 03-1234-5678", "shows: 03-1234-5679", "traffic[1].shows", "03-1234-5678"),
    ("at: 10m, site: tokyo,", "at: 10m, site: tokio,", "faults[0].site", "tokyo"),
    ("pair: edge, fails", "pair: egde, fails", "faults[1].pair", "edge"),
    ("at: 30m, trunk: ntt", "at: 30m, trunk: nttt", "faults[2].trunk", "ntt"),
    ("registrar: osaka", "registrar: osuka", "faults[3].registrar", "osaka"),
    ("office: honsha}", "office: hansha}", "agents.sales.office", "honsha"),
    ("at: 32m, office: honsha", "at: 32m, office: hansha", "faults[4].office", "honsha"),
    ("carrier: NTT Com, refuses", "carrier: NTT Con, refuses", "faults[6].carrier", "NTT Com"),
    ("register_peak{site=osaka", "register_peak{site=osuka", "expect[8]", "osaka"),
    ("registration_p95{agents=sales", "registration_p95{agents=sale", "expect[9]", "sales"),
    ("starts: {after: lost}", "starts: {after: lots}", "runbook[0].starts.after", "lost"),
    ("activate: osaka", "activate: osuka", "runbook[0].does.activate", "osaka"),
    ("after: one, ", "after: onee, ", "runbook[1].after", "one"),
    (
        "{default_caller: 03-1234-5678}",
        "{default_caller: 03-1234-5679}",
        "runbook[1].does.default_caller",
        "03-1234-5678",
    ),
    ("[one, two]", "[one, tow]", "runbook[2].after[1]", "two"),
    ("softphones: sales", "softphones: sale", "runbook[2].does.softphones", "sales"),
    ("sales, site: osaka", "sales, site: osuka", "runbook[2].does.site", "osaka"),
    ("caller_numbers: sales", "caller_numbers: sale", "runbook[3].does.caller_numbers", "sales"),
    ("sales, to: 03-1234-5678", "sales, to: 03-1234-5679", "runbook[3].does.to", "03-1234-5678"),
    ("route: 0120-123-456", "route: 0120-123-457", "runbook[4].does.route", "0120-123-456"),
    ("456, to: 03-1234-5678}", "456, to: 03-1234-5679}", "runbook[4].does.to", "03-1234-5678"),
    ("verify: 0120-123-456", "verify: 0120-123-457", "runbook[5].does.verify", "0120-123-456"),
    ("deactivate: osaka", "deactivate: osuka", "runbook[6].does.deactivate", "osaka"),
    ("repaired: lost", "repaired: lots", "runbook[6].when.repaired", "lost"),
    ("in_service: tokyo", "in_service: tokio", "runbook[6].when.in_service", "tokyo"),
    ("idle: edge", "idle: egde", "runbook[6].when.idle", "edge"),
    ("registered: sales", "registered: sale", "runbook[6].when.registered", "sales"),
    ("90%, site: osaka", "90%, site: osuka", "runbook[6].when.site", "osaka"),
    ("number=119", "number=118", "expect[10]", "119"),
    ("step=切戻し（全部）", "step=切戻し（全体）", "expect[12]", re.escape("切戻し(全部)")),
    ("since=five", "since=fife", "expect[12]", "five"),
    ("number=+81 120 123 456", "number=+81 120 123 457", "expect[0]", "0120-123-456"),
    ("trunk=ntt", "trunk=nttt", "expect[0]", "ntt"),
    ("site=tokyo", "site=tokio", "expect[0]", "tokyo"),
    ("queue=line", "queue=lines", "expect[0]", "line"),
    ("queue=sales", "queue=sale", "expect[1]", "sales"),
    ("limit=tenant", "limit=tennant", "expect[2]", "tenant"),
    ("limit=0120123456", "limit=0120123457", "expect[5]", "0120-123-456"),
    ("pair=edge", "pair=egde", "expect[6]", "edge"),
    ("agents=sales", "agents=sale", "expect[7]", "sales"),
]


@pytest.mark.parametrize(("old", "new", "path", "meant"), USES, ids=[f"{use[2]}: {use[1]}" for use in USES])
def test_a_name_that_leads_nowhere_is_found_wherever_it_is_used(old: str, new: str, path: str, meant: str) -> None:
    found = problems(but(old, new))
    assert list(found) == [path]
    assert re.search(rf"is called '[^']+'; did you mean '{meant}'\? \(G13\) \(allowed .*{meant}", found[path])


def test_all_uses_are_reported_together() -> None:
    text, changed = FULL, set()
    for old, new, path, _ in USES:
        if old in text:  # some uses are told apart by a neighbour that has changed by now
            text = text.replace(old, new, 1)
            changed.add(path)
    assert len(changed) > 25
    assert set(problems(text)) == changed


@pytest.mark.parametrize("limit", ["outbound", "03-1234-5678"])
def test_a_limit_exists_only_where_it_is_set(limit: str) -> None:
    assert "no limit is called" in problems(but("limit=tenant", f"limit={limit}"))["expect[2]"]


def test_a_name_that_a_faulty_part_declares_is_not_missing() -> None:
    text = FULL.replace("name: lost, at: 10m", "name: lost, at: 10").replace("step: one, by", "step: one, bye")
    text = text.replace("tap: 5", "tap: x").replace("tenant: 20", "tenant: x").replace("count: 5", "count: x")
    text = text.replace("channels: 10, site", "channels: x, site")
    assert list(problems(text)) == [
        "trunks.ntt.channels",
        "numbers.0120-123-456.tap",
        "ports.tenant",
        "agents.sales.count",
        "faults[0].at",
        "runbook[0].bye",
    ]


def test_errors_of_references_keep_their_place_beside_faulty_items() -> None:
    text = FULL.replace("name: lost, at: 10m", "name: lost, at: 10").replace(
        "at: 30m, trunk: ntt", "at: 30m, trunk: nttt"
    )
    found = problems(text)
    assert list(found) == ["faults[0].at", "faults[2].trunk"]
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "nttt" in line)
    assert found["faults[2].trunk"].startswith(f"d.yaml:{line}:")


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("name: node", "name: lost", "faults[1].name", "another fault above is called 'lost' too"),
        ("step: six", "step: one", "runbook[5].step", "another step above is called 'one' too"),
        (
            "{edge: {",
            "{ntt: {site: osaka, ports: 1}, edge: {",
            "trunks.ntt",
            "a trunk and an SBC pair are both called 'ntt'",
        ),
        (
            "{ntt: {",
            "{tenant: {via: edge, channels: 1}, ntt: {",
            "trunks.tenant",
            "is the name of a contract-wide limit",
        ),
        ("{edge: {", "{outbound: {site: osaka, ports: 1}, edge: {", "sbc_pairs.outbound", "contract-wide limit"),
        ("{trunk: ntt, queue: line}", "{queue: line}", "numbers.03-1234-5678", "the number leads nowhere"),
        (
            "{to: 03-1234-5678, tap",
            "{to: 03-1234-5678, trunk: ntt, tap",
            "numbers.0120-123-456.to",
            "either 'to' or 'trunk'",
        ),
        (
            "{to: 03-1234-5678, tap",
            "{to: 03-1234-5678, queue: line, tap",
            "numbers.0120-123-456.queue",
            "calls go on to 03-1234-5678",
        ),
        ("at: 10m, site: tokyo", "at: 10m, site: tokyo, trunk: ntt", "faults[0]", "the fault names site and trunk"),
        ("at: 10m, site: tokyo", "at: 10m", "faults[0]", "the fault breaks nothing"),
        ("at: 10m, site: tokyo", "at: 10m, site: tokyo, fails: standby", "faults[0].fails", "only a pair has nodes"),
        ("- {to: 0120-123-456,", "- {to: 0120-123-456, shows: default,", "traffic[0].shows", "only outbound traffic"),
        ("after: one, takes", "after: one, starts: {after: lost}, takes", "runbook[1].after", "not both"),
        ("by: agents", "by: Agent", "runbook[2].by", "every agent for themselves is 'agents'"),
        ("registered: sales, share: 90%, site: osaka", "site: osaka", "runbook[6].when.site", "which is not asked"),
        ("registered: sales, share: 90%, site: osaka", "share: 90%", "runbook[6].when.share", "which is not asked"),
        ("sales, share: 90%, site: osaka", "sales", "runbook[6].when.registered", "does not say where"),
        (
            "{repaired: lost, in_service: tokyo, idle: edge, registered: sales, share: 90%, site: osaka}",
            "{}",
            "runbook[6].when",
            "waits for nothing",
        ),
        ("{from: sales, to: 119", "{to: 119", "traffic[2].to", "no call to it comes in (J5)"),
        ("to: 119,", "to: 119, shows: default,", "traffic[2].shows", "shows the number of the fixed line"),
        (
            "  03-1234-5678: {trunk",
            "  110: {trunk: ntt}\n  03-1234-5678: {trunk",
            "numbers.110",
            "110 is an emergency number",
        ),
    ],
)
def test_fields_that_do_not_fit_together_are_found(old: str, new: str, path: str, words: str) -> None:
    found = problems(but(old, new))
    assert list(found) == [path]
    assert words in found[path]


def test_arrivals_by_time_of_day_need_a_start() -> None:
    text = but("arrivals: 1/m", "arrivals: {profile: {'08:00': 1/m, '18:00': 0/m}}")
    assert findings(load_text(text, "d.yaml").drill) == []
    assert "does not say when it begins" in problems(text.replace(", start: 09:00", ""))["traffic[0].arrivals"]


def test_agents_cannot_act_where_there_are_none() -> None:
    drill = load_text(FULL, "d.yaml").drill.model_copy(update={"agents": {}})
    assert [finding.message for finding in findings(drill) if finding.path == ("runbook", 2, "by")] == [
        "the drill declares no agents (G13)"
    ]


def test_every_finding_is_an_error_of_a_known_kind() -> None:
    drill = load_text(FULL, "d.yaml").drill.model_copy(update={"sites": {}, "faults": [], "trunks": {}})
    found = findings(drill)
    assert {finding.severity for finding in found} == {Severity.ERROR}
    assert {finding.id for finding in found} == {"dangling-reference"}
    assert all(finding.remedy for finding in found)
