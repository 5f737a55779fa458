"""Broken copies of the bundled drill: each is refused with words a person can act on, quickly and in little memory."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import source
from scenarios.loader import load, load_text
from scenarios.problems import DrillError

DRILL = Path(__file__).parent.parent / "scenarios" / "drills" / "tokyo-osaka-dr.kirikae.yaml"
GOOD = DRILL.read_text(encoding="utf-8")
SECONDS = 5.0
"""Of processor time, so that a busy machine does not count; most take milliseconds."""
MEGABYTES = 150


def but(old: str, new: str) -> str:
    """Return the good drill with its first ``old`` replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def said(text: str) -> list[str]:
    """Return what is wrong with a drill, line by line."""
    with pytest.raises(DrillError) as error:
        load_text(text, "d.yaml")
    return str(error.value).splitlines()


def place(part: str, text: str) -> str:
    """Return where ``part`` stands in ``text``, as messages write it."""
    before = text[: text.index(part)]
    return f"d.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "


# Text of the copy, a part of it that the message must point at, words the message must hold.
BROKEN = {
    "wrong unit": (but("for: 90m", "for: 90"), "90,", "run.for: 90 has no unit; write 90s"),
    "unit in another language": (but("for: 90m", "for: 90 minuten"), "90 min", "did you mean 'minute'?"),
    "unknown field": (but("channels: 300", "chanels: 300"), "chanels", "did you mean 'channels'?"),
    "unknown section": (GOOD + "fautls: []\n", "fautls", "did you mean 'faults'?"),
    "missing field": (but("channels: 300, ", ""), "ntt-tokyo: {", "trunks.ntt-tokyo.channels: this field is missing"),
    "dangling reference": (but("via: tokyo-edge", "via: tokio-edge"), "tokio-edge", "did you mean 'tokyo-edge'? (G13)"),
    "wrong choice": (but("role: primary", "role: primry"), "primry", "did you mean 'primary'?"),
    "wrong kind": (but("by: options", "by: option"), "option,", "did you mean 'options'?"),
    "no action": (but("{activate: osaka}", "{activte: osaka}"), "does: {activte", "did you mean 'activate'?"),
    "yes for true": (but("warm: true", "warm: on"), "on}", "run.warm: neither true nor false (found 'on'"),
    "share without percent": (but("share: 70%", "share: 0.7"), "0.7", "write 70%"),
    "certain failure": (but("fails: 5%", "fails: 100%"), "100%", "allowed below 100%"),
    "unknown metric": (but("blocked_ratio", "blocked_rato"), "blocked_rato", "did you mean 'blocked_ratio'?"),
    "part of a distribution": (but("cv: 1.2", "cv: -1"), "-1}", "traffic[0].talk.lognormal.cv"),
    "Excel's number": (but("to: 03-1234-5678", "to: 312345678"), "312345678", "leading 0"),
    "not YAML: quote": (but("name: Tokyo", 'name: "Tokyo'), '"Tokyo', "the quote opened here is not closed"),
    "not YAML: brace": (but("warm: true}", "warm: true"), None, "the mapping opened at line 14, column 6"),
    "not YAML: tab": (but("  tokyo: {role", "\ttokyo: {role"), "\ttokyo", "a tab cannot indent; use spaces"),
    "not YAML: colon": (but("name: Tokyo", "name: Tokyo: all"), ": all", "quote what contains it"),
    "not YAML: indentation": (but("  osaka: {role", "   osaka: {role"), "osaka: {role", "check indentation"),
    "prose": ("This is a plan.\n", "This", "the file is not a drill"),
    "a list": ("- a\n- b\n", "- a", "the file is not a drill (found a list of 2"),
    "JSON cut off": ('{"kirikae": 1, ', None, "not YAML"),
    "empty": ("", None, "the file is empty"),
    "nothing but comments": ("# to do\n", None, "the file is empty"),
    "two documents": (GOOD + "---\na: 1\n", "---", "a second document begins here"),
    "python tag": (
        but("name: Tokyo", "name: !!python/object/apply:os.system [ls] #"),
        "!!python",
        "nothing in a drill is evaluated",
    ),
    "local tag": (but("name: Tokyo", "name: !secret Tokyo"), "!secret", "the tag '!secret' is not read"),
    "merge key": (but("{role: secondary,", "{<<: {role: secondary},"), "<<", "merge keys ('<<') are not read"),
    "unknown alias": (but("talk: 2m", "talk: *tlk"), "*tlk", "nothing above is anchored as '&tlk'"),
    "alias within itself": ("a: &a [*a]\n", "*a", "stands inside what it repeats"),
    "template": (but("name: Tokyo", "name: {{ name }} #"), "{ name", "cannot be a field name"),
    "list as field name": ("? [a]\n: 1\n", "[a]", "cannot be a field name"),
    "control character": (but("name: Tokyo", "name: To\x1bkyo"), "\x1b", "U+001B cannot stand in a text file"),
    "escaped control character": (but("name: Tokyo", 'name: "\\e[2J" #'), '"\\e', "U+001B is in the text"),
    "full-width indentation": (
        but("  tokyo: {role", "　tokyo: {role"),
        "　tokyo",
        "indented with a full-width space (U+3000)",
    ),
    "half full-width indentation": (but("  tokyo: {role", " 　tokyo: {role"), "　tokyo", "use ordinary spaces"),
    "full-width colon": (but("name: Tokyo", "name：Tokyo"), None, "line 3, column 5 has a full-width colon (U+FF1A)"),
    "full-width colon before a brace": (but("run: {for", "run：{for"), "run：", "full-width colon (U+FF1A)"),
    "full-width space after a colon": (
        but("name: Tokyo", "name:　Tokyo"),
        None,
        "line 3, column 6 has a full-width space",
    ),
    "full-width colon within a value": ("kirikae: 1\nports:\n  tenant：250\n", "tenant：", "full-width colon (U+FF1A)"),
    "Japanese comma": (but("{for: 90m, ", "{for: 90m、"), None, "line 14, column 15 has a Japanese comma"),
    "deep nesting, flow": ("a: " + "[" * 10_000, None, "nested too deeply (allowed at most 40 levels)"),
    "deep nesting, block": ("".join(" " * depth + "a:\n" for depth in range(2000)), None, "nested too deeply"),
    "deep chain of aliases": (
        "a: &a0 [x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}]\n" for i in range(100)),
        None,
        "nested too deeply",
    ),
    "alias bomb (9^10 values)": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{c}: &{c} [{', '.join(['*' + chr(ord(c) - 1)] * 9)}]\n" for c in "bcdefghijk"),
        None,
        "too many values, counting what aliases repeat",
    ),
    "1,000,000 values": ("a: [" + "1," * 1_000_000, None, "too many values"),
    "a scalar of 4 MB": ("name: " + "x" * 4_000_000, None, "too long, or more than one line"),
    "a number of 4 MB": ("kirikae: " + "9" * 4_000_000, None, "kirikae: unknown value"),
    "an expectation of 4 MB": ("expect: ['" + "a " * 2_000_000 + "']", None, "expect[0]: this is not an expectation"),
    "a phone number of 4 MB": (
        "numbers: {0120-123-456: {to: '" + "0" * 4_000_000 + "'}}",
        None,
        "numbers.0120-123-456.to",
    ),
    "40,000 wrong entries": (
        "numbers: {" + ",".join(f"n{i}: x" for i in range(40_000)) + "}",
        None,
        "errors in all; the first 500",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_copy_is_refused_where_and_why(name: str) -> None:
    text, part, words = BROKEN[name]
    begun = time.process_time()
    lines = said(text)
    assert time.process_time() - begun < SECONDS
    matching = [line for line in lines if words in line]
    assert matching, lines[:5]
    if part is not None:
        assert any(line.startswith(place(part, text)) for line in matching), (place(part, text), matching)


@pytest.mark.parametrize("name", [name for name in BROKEN if "4 MB" not in name and "000" not in name])
def test_the_parser_without_libyaml_says_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, _, words = BROKEN[name]
    monkeypatch.setattr(source, "_LOADER", yaml.SafeLoader)
    assert any(words in line for line in said(text))


LOADS = """
import resource, sys
from pathlib import Path
from scenarios.loader import load
from scenarios.problems import DrillError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[1:]:
    try:
        load(Path(name))
    except DrillError:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_the_worst_files_are_refused_in_little_memory(tmp_path: Path) -> None:
    worst = [text for text, _, _ in BROKEN.values() if len(text) > 100_000] + [BROKEN["alias bomb (9^10 values)"][0]]
    paths = [tmp_path / f"{index}.yaml" for index in range(len(worst))]
    for path, text in zip(paths, worst, strict=True):
        path.write_text(text)
    done = subprocess.run([sys.executable, "-c", LOADS, *paths], capture_output=True, text=True, check=True)
    *refusals, megabytes = done.stdout.split()
    assert refusals == ["refused"] * len(worst)
    assert int(megabytes) < MEGABYTES


def test_a_misspelt_field_is_reported_once() -> None:
    assert len(said(but("channels: 300", "chanels: 300"))) == 1


def test_of_two_ways_to_read_a_value_the_one_that_came_further_is_explained() -> None:
    lines = said(but("after: press the DR button", "after: [press the DR button, 3]"))
    assert [line.split(": ")[1] for line in lines] == ["runbook[1].after[1]"]


def test_a_duplicate_key_names_the_first() -> None:
    text = but("  ntt-osaka: {via", "  ntt-tokyo: {via")
    first = text.splitlines().index(next(line for line in text.splitlines() if line.startswith("  ntt-tokyo"))) + 1
    assert f"'ntt-tokyo' stands twice; the first is at line {first}, column 3" in said(text)[0]


def test_two_spellings_of_one_number_are_a_duplicate() -> None:
    text = but("  06-1234-5678: {trunk", "  ０３（1234）5678: {trunk")
    assert any("stands twice; the first is at d.yaml:30:3" in line for line in said(text))


def test_two_widths_of_one_name_are_a_duplicate() -> None:
    assert any("stands twice" in line for line in said(but("  osaka: {role", "  ｔｏｋｙｏ: {role")))


def test_all_errors_come_at_once_and_in_order_of_place() -> None:
    text = (
        GOOD.replace("advert: 1s", "advert: 1")
        .replace("queue: sales", "queue: sale")
        .replace("via: tokyo-edge", "via: tokio-edge")
        .replace("<= 60m", "<= 60")
        .replace("starts: {after: tokyo-lost", "starts: {after: tokio-lost")
    )
    lines = said(text)
    assert [line.split(": ")[1] for line in lines] == [
        "sbc_pairs.tokyo-edge.detect.advert",
        "trunks.ntt-tokyo.via",
        "numbers.03-1234-5678.queue",
        "numbers.06-1234-5678.queue",
        "runbook[0].starts.after",
        "expect[0]",
    ]


def test_a_part_with_an_error_is_not_reported_as_missing_too() -> None:
    lines = said(but("ntt-tokyo: {via: tokyo-edge, channels: 300", "ntt-tokyo: {via: tokyo-edge, channels: many"))
    assert len(lines) == 1


def test_a_section_that_is_none_is_not_reported_at_every_reference_to_it() -> None:
    sites = "sites:\n  tokyo: {role: primary, owner: vendor}\n  osaka: {role: secondary, owner: vendor}"
    lines = said(but(sites, "sites: tokyo\n# "))
    assert [line.split(": ")[1] for line in lines] == ["sites"]


# Bytes of the file, words the message must hold.
BYTES: dict[str, tuple[bytes, str]] = {
    "UTF-16 with a mark": (GOOD.encode("utf-16"), "the file is UTF-16 text"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-be"), "the file is UTF-16 text"),
    "UTF-32 with a mark": (GOOD.encode("utf-32"), "the file is UTF-32 text"),
    "UTF-32 without a mark": (GOOD.encode("utf-32-le"), "the file is UTF-32 text"),
    "ISO-2022-JP": ("name: 東京".encode("iso2022_jp"), "the file is ISO-2022-JP text"),
    "binary": (bytes(range(256)) * 10, "the file is binary, not text"),
    "a lone NUL": (GOOD.encode() + b"\0", "the file is binary, not text"),
    "a workbook": (b"PK\x03\x04\x14\0\x06\0", "an Excel workbook"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "a picture"),
    "Latin-1": ("name: Zürich\n".encode("latin-1"), "neither UTF-8 nor CP932"),
    "a scalar of 10 MB": (b"name: " + b"x" * 10_000_000, "too large (found more than 4 MiB"),
    "nothing": (b"", "the file is empty"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_drill_are_named(name: str, tmp_path: Path) -> None:
    data, words = BYTES[name]
    path = tmp_path / "d.yaml"
    path.write_bytes(data)
    begun = time.process_time()
    with pytest.raises(DrillError) as error:
        load(path)
    assert time.process_time() - begun < SECONDS
    assert words in str(error.value)


def test_a_byte_that_is_no_text_is_located(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(b"kirikae: 1\nname: a\xff\n")
    with pytest.raises(DrillError, match=r"d\.yaml:2:8: .*found byte 0xFF"):
        load(path)


def _missing(folder: Path) -> Path:
    (folder / "tokyo.yaml").touch()
    return folder / "tokio.yaml"


def _under_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "d.yaml"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_missing, "no such file; did you mean 'tokyo.yaml'?"),
        (lambda folder: folder, "this is a directory"),
        (_under_a_file, "cannot be read"),
        (lambda folder: folder / ("x" * 5000), "cannot be read"),
        (lambda folder: folder / "a\0b", "cannot be read"),
    ],
)
def test_a_path_that_leads_to_no_file_is_named(make: Callable[[Path], Path], words: str, tmp_path: Path) -> None:
    with pytest.raises(DrillError) as error:
        load(make(tmp_path))
    assert words in str(error.value)


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DrillError, match="no permission"):
        load(tmp_path / "d.yaml")


def only_a_drill_error(text: str) -> None:
    """Load a text; anything raised but a :class:`DrillError` fails, and so does a message of several lines."""
    try:
        load_text(text, "d.yaml")
    except DrillError as error:
        lines, problems = len(str(error).splitlines()), len(error.problems)
    else:
        return
    assert lines == problems > 0


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_a_drill_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(data)
    with pytest.raises(DrillError):
        load(path)


@given(st.text(max_size=300))
def test_arbitrary_text_raises_nothing_but_a_drill_error(text: str) -> None:
    only_a_drill_error(text)


YAML_TOKENS = st.sampled_from(
    [
        *"{}[],:-?&*!|>'\"%@`#~ \n\t　：",
        ": ",
        "- ",
        "\n  ",
        "a",
        "<<",
        "---\n",
        "...\n",
        "&a ",
        "*a",
        "!!str ",
        "1",
        "true",
    ]
)


@given(st.lists(YAML_TOKENS, max_size=60).map("".join))
def test_arbitrary_yaml_raises_nothing_but_a_drill_error(text: str) -> None:
    only_a_drill_error(text)


PIECES = [piece for line in GOOD.splitlines(keepends=True) for piece in line.replace(", ", ", \0").split("\0")]


@settings(max_examples=60)
@given(st.data())
def test_a_drill_with_pieces_changed_raises_nothing_but_a_drill_error(data: st.DataObject) -> None:
    pieces = list(PIECES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(pieces) - 1))
        pieces[index] = data.draw(st.sampled_from([*PIECES, "", "[", "~", " {x: 1}\n", "true, "]))
    only_a_drill_error("".join(pieces))
