"""What systems document of their replication, counted, and how a plan states it otherwise."""

import pytest

from scenarios.loader import load_text
from scenarios.model import Drill
from scenarios.problems import DrillError
from scenarios.replication import HISTORIES, REPORTS, lacking, replicated
from tests.made_plans import plan

BOTH: dict[str, object] = {"from": "tokyo", "to": "osaka"}
LOADED = {"accounts", "terminals", "park-groups", "pickup-groups", "call-centre", "voicemail", "hold-music"}
"""What Z8 names."""


def biztel(version: str = "3.9", **changes: object) -> Drill:
    return plan(**{"system": f"biztel-{version}", "sync": BOTH, **changes})


def test_there_are_eighteen_histories_and_four_reports() -> None:
    classes = replicated(biztel())
    assert len(set(HISTORIES)) == len(classes["histories"].holds) == 18  # Z10
    assert len(set(REPORTS)) == len(classes["reports"].holds) == 4  # Z11
    assert all(classes[name].excluded for name in ("recordings", "histories", "reports"))  # Z9


@pytest.mark.parametrize(
    ("version", "loaded"), [("3.6.10", set()), ("3.7.9", set()), ("3.7.10", LOADED), ("4", LOADED)]
)
def test_what_is_loaded_every_hour_depends_on_the_version(version: str, loaded: set[str]) -> None:
    classes = replicated(biztel(version))
    assert {name for name, data in classes.items() if data.loaded_every == 3600} == loaded
    assert all(classes[name].every == 0 for name in loaded)
    assert {name: classes[name].every for name in ("settings", "announcements", "ip-restrictions")} == {
        "settings": 0, "announcements": 300, "ip-restrictions": 3600,
    }  # fmt: skip
    assert set(classes) - loaded == {
        "settings", "announcements", "ip-restrictions", "recordings", "histories", "reports",
    }  # fmt: skip


def test_a_plan_states_single_fields_otherwise_and_classes_of_its_own() -> None:
    data = {"announcements": {"first": "2m"}, "accounts": {"loaded_every": "10m"}, "scripts": {"every": "1d"}}
    classes = replicated(biztel(sync={**BOTH, "data": data}))
    assert (classes["announcements"].every, classes["announcements"].first) == (300, 120)
    assert (classes["accounts"].every, classes["accounts"].loaded_every) == (0, 600)
    assert classes["scripts"].every == 86_400


def test_without_replication_or_a_known_system_there_are_no_classes_but_the_plans_own() -> None:
    assert replicated(plan(system="biztel-3.9")) == {}
    own = plan(sync={**BOTH, "data": {"settings": {"every": "1d"}}})
    assert list(replicated(own)) == ["settings"]


def test_the_secondary_site_of_biztel_lacks_eight_functions_unless_a_plan_says_otherwise() -> None:
    assert len(set(lacking(biztel(), "osaka"))) == 8  # Z27
    assert lacking(biztel(), "tokyo") == ()
    assert lacking(plan(), "osaka") == ()
    less = biztel(sites={"osaka": {"role": "secondary", "lacks": []}, "tokyo": {"lacks": ["fax"]}})
    assert lacking(less, "osaka") == ()
    assert lacking(less, "tokyo") == ("fax",)


TEXT = """
kirikae: 1
name: a plan
system: biztel-3.9
run: {for: 1h, warm: false}
sites: {tokyo: {}, osaka: {role: secondary}}
sbc_pairs: {edge: {site: tokyo, ports: 9}}
trunks: {ntt: {via: edge, channels: 9}}
numbers: {03-1234-5678: {trunk: ntt}}
sync: {from: tokyo, to: osaka, data: {scripts: {every: 1d}}}
consoles: {dr: {site: osaka, needs: osaka}}
changes:
  - {name: phone, at: 5m, data: accounts}
  - {name: script, at: 5m, data: scripts}
traffic: [{to: 03-1234-5678, arrivals: 1/m, talk: 1m, needs: [fax]}]
runbook: [{step: look, by: me, starts: {at: 1m}, takes: 1m, uses: dr, does: {look_at_sync: osaka}}]
expect: [unprotected <= 10m, "data_lost{data=accounts} == 0"]
"""


def test_a_plan_with_all_of_it_is_read() -> None:
    assert load_text(TEXT, "plan").drill.sync is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("from: tokyo", "from: tokio", "sync.from: no site is called 'tokio'; did you mean 'tokyo'?"),
        ("to: osaka, data", "to: tokyo, data", "sync.to: a site has no replica of itself"),
        ("{every: 1d}", "{}", "sync.data.scripts: this does not say how often it is replicated"),
        ("{every: 1d}", "{excluded: true, every: 1d}", "what is excluded is never replicated"),
        ("{every: 1d}", "{every: 0, first: 1h}", "what is replicated in real time has no first time"),
        ("{every: 1d}", "{every: 1d, loaded_first: 1h}", "and is not loaded at times of its own"),
        ("scripts: {every: 1d}}", "scripts: {every: 1d}, recordings: {every: 1h}}", "'every' says nothing"),
        ("scripts: {every: 1d}}", "scripts: {every: 1d}, settings: {first: 1h}}", "real time has no first time"),
        ("data: accounts}", "data: acounts}", "no class of data is called 'acounts'; did you mean 'accounts'?"),
        ("data=accounts", "data=acounts", "no class of data is called 'acounts'; did you mean 'accounts'?"),
        ("at: 5m, data: scripts", "at: 5m, arrivals: 1/h, data: scripts", "a moment or again and again, not both"),
        ("at: 5m, data: scripts", "made_at: osaka, data: scripts", "this change is made by steps, which say where"),
        ("name: script,", "name: phone,", "another change above is called 'phone' too"),
        ("at: 5m, data: scripts", "at: 5m, allows: home, data: scripts", "no office is called 'home'"),
        ("needs: osaka}", "needs: kyoto}", "no site or office is called 'kyoto'"),
        ("uses: dr,", "uses: rd,", "no console is called 'rd' (G13)"),
        ("uses: dr,", "uses: [dr, rd],", "uses[1]: no console is called 'rd'"),
        ("look_at_sync: osaka", "look_at_sync: tokyo", "tokyo gets no replicas"),
        ("look_at_sync: osaka", "enter: fone, site: osaka", "no change is called 'fone'; did you mean 'phone'?"),
        ("look_at_sync: osaka", "export: histries, site: osaka", "no class of data is called 'histries'"),
        ("needs: [fax]", "needs: [facs]", "no site is said to lack 'facs', so that these calls need nothing (Z27)"),
        ("sync: {from: tokyo, to: osaka, data: {scripts: {every: 1d}}}\n", "", "without replication it makes no"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(DrillError) as refused:
        load_text(TEXT.replace(old, new, 1), "plan")
    assert said in str(refused.value)
