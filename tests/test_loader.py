"""Reading drills: encodings, YAML's traps, positions, and `--set`."""

import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scenarios.distributions import Distribution, Shape
from scenarios.loader import Loaded, load, load_text
from scenarios.model import Drill, OptionsDetection, SwitchSoftphones, VrrpDetection
from scenarios.problems import DrillError, Mark
from scenarios.source import read_source, resolve

DRILLS = Path(__file__).parent.parent / "scenarios" / "drills"
DRILL = DRILLS / "tokyo-osaka-dr.kirikae.yaml"
GOOD = DRILL.read_text(encoding="utf-8")

SMALL = """\
kirikae: 1
name: 東京を失う
run: {for: 5m, warm: false}
sites: {東京: {}}
sbc_pairs: {edge: {site: 東京, ports: 10}}
trunks: {ntt: {via: edge, channels: 10}}
numbers: {03-1234-5678: {trunk: ntt}}
traffic: [{to: 03-1234-5678, arrivals: 1/s, talk: 10s}]
expect: [asr > 50%]
"""


def but(old: str, new: str) -> str:
    """Return the small drill with its first ``old`` replaced."""
    assert old in SMALL
    return SMALL.replace(old, new, 1)


def read(text: str, *overrides: str) -> Drill:
    """Return the drill of a text."""
    return load_text(text, "d.yaml", overrides).drill


def refused(text: str, *overrides: str) -> str:
    """Return what is wrong with a text."""
    with pytest.raises(DrillError) as error:
        load_text(text, "d.yaml", overrides)
    return str(error.value)


@pytest.mark.parametrize("path", sorted(DRILLS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_bundled_drill_loads_without_a_note(path: Path) -> None:
    assert load(path).notes == ()


def test_a_drill_has_what_its_file_says() -> None:
    drill = load(DRILL).drill
    assert drill.run.lasts == 5400.0
    assert drill.sbc_pairs["tokyo-edge"].detect == VrrpDetection.model_validate({"by": "vrrp", "advert": "1s"})
    assert drill.sbc_pairs["osaka-edge"].detect == OptionsDetection(by="options")
    assert drill.traffic[0].talk == Distribution(Shape.LOGNORMAL, (180.0, 1.2))
    assert drill.traffic[1].from_ == "sales"
    assert drill.runbook[2].does == SwitchSoftphones(softphones="sales", site="osaka", slips="1%")
    assert drill.runbook[4].predecessors == ("change the caller number of the terminals",)
    assert drill.expect[0].query.selectors == (("number", "0120-123-456"),)


def test_a_drill_survives_the_way_to_a_worker() -> None:
    drill = load(DRILL).drill
    assert pickle.loads(pickle.dumps(drill)) == drill  # noqa: S301


def saved(folder: Path, data: bytes) -> Loaded:
    path = folder / "d.yaml"
    path.write_bytes(data)
    return load(path)


@pytest.mark.parametrize(
    "data",
    [
        SMALL.encode(),
        SMALL.encode("utf-8-sig"),
        SMALL.replace("\n", "\r\n").encode(),
        SMALL.replace("\n", "\r").encode(),
    ],
    ids=["UTF-8", "byte order mark", "CRLF", "CR"],
)
def test_utf_8_is_read_however_its_lines_end(data: bytes, tmp_path: Path) -> None:
    assert saved(tmp_path, data).drill == read(SMALL)
    assert saved(tmp_path, data).notes == ()


def test_cp932_is_read_with_a_note(tmp_path: Path) -> None:
    loaded = saved(tmp_path, SMALL.replace("\n", "\r\n").encode("cp932"))
    assert loaded.drill.name == "東京を失う"
    assert "CP932" in loaded.notes[0]


def test_full_width_text_means_what_its_half_width_form_means() -> None:
    wide = (
        SMALL.replace("kirikae: 1", "kirikae: １　")
        .replace("for: 5m", "for: ５ｍ")
        .replace("channels: 10", "channels: １０")
        .replace("03-1234-5678: {", "０３－１２３４－５６７８: {")
        .replace("via: edge", "via: ｅｄｇｅ")
        .replace("1/s", "１／ｓ")
        .replace("asr > 50%", "ａｓｒ　＞　５０％")
    )
    assert read(wide).model_copy(update={"expect": []}) == read(SMALL).model_copy(update={"expect": []})
    assert read(wide).expect[0].bound == 0.5


@pytest.mark.parametrize(
    "spelling", ["0312345678", "+81312345678", "03(1234)5678", '"03-1234-5678"', "０３１２３４５６７８"]
)
def test_a_phone_number_is_read_from_its_source_text(spelling: str) -> None:
    assert list(read(but("03-1234-5678: {", f"{spelling}: {{")).numbers) == ["03-1234-5678"]
    assert read(but("to: 03-1234-5678", f"to: {spelling}")).traffic[0].to == "03-1234-5678"


# YAML 1.1 makes an octal or sexagesimal number, a boolean, infinity or a date of these.
@pytest.mark.parametrize(
    "text", ["0120123456", "1:30", "on", "yes", "No", "0x1F", "+81", "1_000", ".inf", "2024-01-01", "1e3", "01", "TRUE"]
)
def test_what_yaml_would_reinterpret_stays_text(text: str) -> None:
    assert resolve(text) == text
    assert read_source(f"a: {text}", "d.yaml").root.plain() == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-5", -5),
        ("0", 0),
        ("0.5", 0.5),
        ("true", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
    ],
)
def test_plain_values_are_typed_like_yaml_1_2(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@given(st.from_regex(r"[-+]?[0-9_.]{1,25}", fullmatch=True))
def test_a_number_is_read_only_where_its_text_reads_back_the_same(text: str) -> None:
    assert str(resolve(text)) == text


@given(
    st.recursive(
        st.text(
            st.characters(
                codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
            )
        ),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), inner, max_size=4)
        ),
        max_leaves=20,
    )
)
def test_the_tree_is_what_the_yaml_library_reads(value: object) -> None:
    text = yaml.safe_dump({"top": value}, allow_unicode=True, default_style='"')
    assert read_source(text, "d.yaml").root.plain() == yaml.safe_load(text) == {"top": value}


def test_an_alias_repeats_a_value() -> None:
    text = SMALL.replace("talk: 10s}", "talk: &talk {exponential: 3m}}, {to: 03-1234-5678, arrivals: 1/s, talk: *talk}")
    assert [stream.talk for stream in read(text).traffic] == [Distribution(Shape.EXPONENTIAL, (180.0,))] * 2


def test_set_changes_a_repeated_value_in_one_place_only() -> None:
    text = SMALL.replace(
        "talk: 10s}", "talk: &talk {gamma: {mean: 1m, cv: 1}}}, {to: 03-1234-5678, arrivals: 1/s, talk: *talk}"
    )
    drill = read(text, "traffic[1].talk.gamma.mean=2m")
    assert [stream.talk.mean for stream in drill.traffic] == [60.0, 120.0]


def test_every_part_knows_where_it_stands() -> None:
    source = load_text(SMALL, "d.yaml").source
    assert source.mark(("sbc_pairs", "edge")) == Mark("d.yaml", 5, 13)
    assert source.mark(("sbc_pairs", "edge", "ports")) == Mark("d.yaml", 5, 37)
    assert source.mark(("traffic", 0, "to")) == Mark("d.yaml", 8, 16)
    assert source.mark(("traffic", 0, "patience")) == source.mark(("traffic", 0)) == Mark("d.yaml", 8, 11)


def test_an_unquoted_number_as_a_name_keeps_its_text() -> None:
    assert list(read(SMALL.replace("東京", "3.10")).sites) == ["3.10"]
    assert read(SMALL.replace("東京", "3.1")).sbc_pairs["edge"].site == "3.1"


def test_a_part_without_fields_takes_every_default() -> None:
    assert read(but("sites: {東京: {}}", "sites:\n  東京:")) == read(SMALL)
    assert "trunks.ntt.via: this field is missing" in refused(but("{ntt: {via: edge, channels: 10}}", "{ntt: }"))


def test_a_boolean_is_no_name_but_says_how_to_make_it_one() -> None:
    assert "put it in quotes to make it a name" in refused(but("site: 東京", "site: true"))


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("trunks.ntt-tokyo.channels=10", ("trunks", "ntt-tokyo", "channels"), 10),
        ("trunks[ntt-tokyo].channels=１０", ("trunks", "ntt-tokyo", "channels"), 10),
        ("faults[0].at=20m", ("faults", 0, "at"), 1200.0),
        ("faults[tokyo-lost].at=20m", ("faults", 0, "at"), 1200.0),
        ("runbook[press the DR button].takes=3m", ("runbook", 0, "takes"), Distribution(Shape.CONSTANT, (180.0,))),
        ("traffic[0].talk.lognormal.cv=2", ("traffic", 0, "talk"), Distribution(Shape.LOGNORMAL, (180.0, 2.0))),
        ("traffic[0].talk={gamma: {mean: 1m, cv: 1}}", ("traffic", 0, "talk"), Distribution(Shape.GAMMA, (60.0, 1.0))),
        ("numbers.+81 120 123 456.to=0612345678", ("numbers", "0120-123-456", "to"), "06-1234-5678"),
        ("numbers.0312345678.tap=5", ("numbers", "03-1234-5678", "tap"), 5),
        ("run.seed=7", ("run", "seed"), 7),
        ("queues={night: {agents: [sales]}}", ("queues", "night", "agents"), ["sales"]),
        ("sites.nagoya={role: secondary}", ("sites", "nagoya", "role"), "secondary"),
        ("teaches=", ("teaches",), None),
        ("name=a = b", ("name",), "a = b"),
    ],
)  # fmt: skip
def test_set_changes_one_value(override: str, path: tuple[str | int, ...], value: object) -> None:
    found: object = read(GOOD, override)
    for part in path:
        found = found[part] if isinstance(found, dict | list) else getattr(found, str(part))  # type: ignore[index]
    assert found == value
    assert read(GOOD, override) != read(GOOD)


def test_set_makes_parts_that_the_file_left_out() -> None:
    assert read(SMALL, "ports.tenant=5").ports.tenant == 5


def test_set_changes_an_expectation() -> None:
    assert str(read(GOOD, "expect[1]=blocked_ratio{after=45m} < 2%").expect[1].bound) == "0.02"


def test_a_name_with_dots_is_found_by_its_longest_form() -> None:
    text = SMALL.replace("trunks: {ntt: {", "trunks: {ntt: {via: edge, channels: 9}, ntt.tokyo: {")
    drill = read(text, "trunks.ntt.tokyo.channels=7", "trunks.ntt.channels=8")
    assert {name: trunk.channels for name, trunk in drill.trunks.items()} == {"ntt": 8, "ntt.tokyo": 7}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("trunks.ntt-tokyo.channels=many", ": trunks.ntt-tokyo.channels: not a whole number (found 'many'"),
        ("trunks.ntt-tokyo.chanels=1", "unknown field 'chanels'; did you mean 'channels'?"),
        ("trunks.ntt-tokio.channels=1", "there is no 'ntt-tokio' here; did you mean 'ntt-tokyo'?"),
        ("trunk.ntt-tokyo.channels=1", "there is no 'trunk' here; did you mean 'trunks'?"),
        ("queues.night.agents=[sales]", "there is no 'night' here"),
        ("faults[1].at=1m", "there is no such item (found 1; allowed 0 to 0)"),
        ("faults[tokio-lost].at=1m", "no item is called 'tokio-lost'; did you mean 'tokyo-lost'?"),
        ("faults.at=1m", "an item of a list is named in brackets"),
        ("faults[0.at=1m", "this is not an assignment"),
        ("traffic[1].talk.mean=1m", "traffic[1].talk is '2m' and has no fields; set it as a whole"),
        ("trunks.ntt-tokyo.via=tokio-edge", "no SBC pair is called 'tokio-edge'; did you mean 'tokyo-edge'?"),
        ("run.for", "this is not an assignment"),
        ("=5", "this is not an assignment"),
        ("run.for=[", "not YAML"),
        ("run.for=!!python/name:os.system x", "is not read"),
        ("run.for=1m\x07", "control character"),
        ("numbers.csv=x.csv", "a drill that is not a file has no files beside it"),
    ],
)  # fmt: skip
def test_set_is_held_to_the_rules_of_the_file(override: str, words: str) -> None:
    problems = refused(GOOD, override)
    assert problems.startswith(f"--set {override}".replace("\x07", ""))
    assert words in problems


def test_all_overrides_are_checked_with_the_file() -> None:
    lines = refused(but("asr >", "asrr >"), "run.for=5", "trunks.x.channels=1").splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "--set run.for=5",
        "--set trunks.x.channels=1",
        "d.yaml:9:10",
    ]


@given(st.text(max_size=60))
def test_an_arbitrary_override_raises_nothing_but_a_drill_error(text: str) -> None:
    try:
        read(SMALL, text)
    except DrillError:
        return


@given(st.sampled_from(["run", "numbers", "traffic[0]", "sites.東京", "expect"]), st.text(".[]=ab0 東", max_size=12))
def test_an_override_near_a_real_one_raises_nothing_but_a_drill_error(path: str, rest: str) -> None:
    try:
        read(SMALL, path + rest)
    except DrillError:
        return
