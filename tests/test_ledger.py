"""Numbers and agents from CSV files beside the drill."""

from pathlib import Path

import pytest

from scenarios.loader import Loaded, load
from scenarios.model import Number
from scenarios.problems import DrillError

DRILL = """\
kirikae: 1
name: ledgers
run: {for: 5m, warm: false}
sites: {tokyo: {}}
sbc_pairs: {edge: {site: tokyo, ports: 10}}
trunks: {ntt: {via: edge, channels: 10}}
numbers: {csv: numbers.csv}
traffic: [{to: 03-1234-5678, arrivals: 1/s, talk: 10s}]
expect: [asr > 50%]
"""
STAFFED = (
    DRILL + "agents: {csv: agents.csv, sales: {softphone: {sites: [tokyo]}}, 保守: {softphone: {sites: [tokyo]}}}\n"
)
NUMBERS = "number,to,trunk,queue,tap\n0120-123-456,03-1234-5678,,,5\n03-1234-5678,,ntt,,\n"
AGENTS = "name,group\nSato,sales\nSuzuki,保守\nTanaka,ｓａｌｅｓ\n"


def loaded(folder: Path, drill: str = DRILL, numbers: str | bytes = NUMBERS, agents: str | bytes = AGENTS) -> Loaded:
    """Load a drill with its ledgers from a folder."""
    for name, content in (("d.yaml", drill), ("numbers.csv", numbers), ("agents.csv", agents)):
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return load(folder / "d.yaml")


def refused(folder: Path, drill: str = DRILL, numbers: str | bytes = NUMBERS, agents: str | bytes = AGENTS) -> str:
    """Return what is wrong, with the names of files alone."""
    with pytest.raises(DrillError) as error:
        loaded(folder, drill, numbers, agents)
    return str(error.value).replace(f"{folder}/", "")


def test_each_row_is_a_number(tmp_path: Path) -> None:
    assert loaded(tmp_path).drill.numbers == {
        "0120-123-456": Number(to="03-1234-5678", tap=5),
        "03-1234-5678": Number(trunk="ntt"),
    }


@pytest.mark.parametrize(
    "numbers",
    [
        NUMBERS.encode("utf-8-sig"),
        NUMBERS.replace("\n", "\r\n").encode(),
        "トランク,番号,上限,転送先\n,０１２０－１２３－４５６,５,0312345678\nntt,0312345678\n".encode(),
        "トランク,番号,上限,転送先\r\n,0120123456,5,03-1234-5678\r\nntt,03-1234-5678,,\r\n\r\n".encode("cp932"),
        b'"number","to","tap","trunk"\n"0120-123-456","03-1234-5678","5",""\n\n"03-1234-5678","","","ntt"\n',
        b"number , TO , tap, trunk\n 0120-123-456 , 03-1234-5678 ,5,\n,,,\n03-1234-5678,,,ntt\n",
    ],
    ids=["byte order mark", "CRLF", "Japanese, full-width, short row", "CP932", "quoted", "blanks"],
)
def test_a_ledger_is_read_as_offices_keep_it(numbers: bytes, tmp_path: Path) -> None:
    assert loaded(tmp_path, numbers=numbers).drill == loaded(tmp_path).drill


def test_a_cp932_ledger_is_noted(tmp_path: Path) -> None:
    notes = loaded(tmp_path, numbers="番号,回線\n03-1234-5678,ntt\n".encode("cp932")).notes
    assert [note for note in notes if "numbers.csv was read as CP932" in note]


def test_numbers_may_stand_in_the_drill_too(tmp_path: Path) -> None:
    drill = DRILL.replace("{csv: numbers.csv}", "{csv: numbers.csv, 06-1234-5678: {trunk: ntt}}")
    assert set(loaded(tmp_path, drill).drill.numbers) == {"0120-123-456", "03-1234-5678", "06-1234-5678"}


def test_rows_are_counted_into_the_groups_of_agents(tmp_path: Path) -> None:
    agents = loaded(tmp_path, STAFFED).drill.agents
    assert {name: group.count for name, group in agents.items()} == {"sales": 2, "保守": 1}


def test_an_override_can_change_what_a_ledger_brings(tmp_path: Path) -> None:
    loaded(tmp_path)
    (tmp_path / "other.csv").write_text("number,trunk\n03-1234-5678,ntt\n")
    drill = load(tmp_path / "d.yaml", ["numbers.0312345678.tap=7", "numbers.csv=other.csv"]).drill
    assert drill.numbers == {"03-1234-5678": Number(trunk="ntt", tap=7)}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (
            "number,trunk\n312345678,ntt\n",
            "numbers.csv:2:1: numbers: a spreadsheet has removed the leading zero; it was probably 0312345678",
        ),
        (
            "trunk,number\nntt,9012345678\n",
            "numbers.csv:2:5: numbers: a spreadsheet has removed the leading zero; it was probably 09012345678",
        ),
        (
            "number,to\n03-1234-5678,３１２３４５６７８\n",
            "numbers.csv:2:14: numbers: a spreadsheet has removed the leading zero",
        ),
        ("number,trunk\n8.13123E+11,ntt\n", "numbers.csv:2:1: numbers: a spreadsheet has rounded the number"),
        (
            "number,trnk\n",
            "did you mean 'trunk'? (allowed columns number,to,trunk,queue,tap or 番号,転送先,トランク,キュー,上限)",
        ),
        ("03-1234-5678,ntt\n", "no column 'number': the first line must name the columns"),
        ("number,番号\n", "numbers.csv:1:8: numbers: two columns mean 'number'"),
        (
            "number,trunk\n03-1234-5678,ntt,x\n",
            "numbers.csv:2:18: numbers: more cells than the header has columns (found 'x')",
        ),
        ("number,trunk\n,ntt\n", "numbers.csv:2:1: numbers: the cell 'number' of this row is empty"),
        ('number,trunk\n"03-1234-5678"x,ntt\n', "numbers.csv:2:1: numbers: not CSV"),
        (
            "number,trunk\n03-1234-5678,nt\n",
            "numbers.csv:2:14: numbers.03-1234-5678.trunk: no trunk is called 'nt'; did",
        ),
        (
            'number,to,tap\n"03-1234-5678","0120-123-456","many, many"\n',
            "numbers.csv:2:31: numbers.03-1234-5678.tap: not a whole number (found 'many, many'",
        ),
        ("number,trunk\nx-1,ntt\n", "numbers.csv:2:1: numbers.x-1"),
        (
            "number,trunk\n\n03-1234-5678,ntt\n0312345678,ntt\n",
            "numbers.csv:4:1: numbers.03-1234-5678: '0312345678' stands twice; the first is at ",
        ),
        ("", "numbers.csv: numbers: the file is empty"),
        (
            "number,trunk\n" + "03-1234-5678,ntt\n" * 50_001,
            "numbers.csv:50002:1: numbers: too many rows (allowed at most 50000)",
        ),
        (b"PK\x03\x04\0\0", "numbers.csv: the file is an Excel workbook"),
        ("number\ttrunk\n".encode("utf-16"), "numbers.csv: the file is UTF-16 text"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_error_names_the_place_in_the_ledger(numbers: str | bytes, words: str, tmp_path: Path) -> None:
    assert words in refused(tmp_path, numbers=numbers)


def test_all_errors_of_drill_and_ledger_come_at_once(tmp_path: Path) -> None:
    lines = refused(
        tmp_path, DRILL.replace("asr >", "asrr >"), "number,trunk\n312345678,ntt\n03-1234-5678,nt\n"
    ).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["d.yaml:9:10", "numbers.csv:2:1", "numbers.csv:3:14"]


@pytest.mark.parametrize(
    ("drill", "agents", "words"),
    [
        (
            STAFFED,
            "group\nsale\nsales\n保守\n",
            "agents.csv:2:1: agents: the drill has no group of agents called 'sale'; did",
        ),
        (
            STAFFED.replace("sales: {", "sales: {count: 3, "),
            AGENTS,
            "d.yaml:10:35: agents.sales.count: the count is stated here and by 2 rows of agents.csv",
        ),
        (STAFFED, "group\nsales\n", "agents.保守.count: this field is missing"),
        (STAFFED, "name\nSato\n", "no column 'group'"),
        (STAFFED, "group,name\n,Sato\n", "agents.csv:2:1: agents: the cell 'group' of this row is empty"),
    ],
)
def test_a_group_and_its_rows_must_fit(drill: str, agents: str, words: str, tmp_path: Path) -> None:
    assert words in refused(tmp_path, drill, agents=agents)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("number.csv", "d.yaml:7:16: numbers.csv: no such file beside the drill; did you mean 'numbers.csv'?"),
        ("../numbers.csv", "the file is not beside the drill"),
        ("/etc/passwd", "the file is not beside the drill"),
        ("C:\\numbers.csv", "the file is not beside the drill"),
        ("link.csv", "the file is not beside the drill"),
        (".", "no such file beside the drill"),
        ("[a]", "not a file name"),
        ("'a\\0b'", "no such file"),
        ('"a\\0b"', "the file is not beside the drill"),
        ("'" + "x" * 5000 + "'", "no such file beside the drill"),
    ],
)
def test_a_ledger_stands_beside_the_drill(name: str, words: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(NUMBERS)
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "link.csv").symlink_to(outside)
    problems = refused(folder, DRILL.replace("numbers.csv", name))
    assert words in problems.replace("link.csv, ", "")


def test_a_ledger_may_stand_in_a_folder_beside_the_drill(tmp_path: Path) -> None:
    (tmp_path / "ledgers").mkdir()
    (tmp_path / "ledgers" / "n.csv").write_text(NUMBERS)
    assert len(loaded(tmp_path, DRILL.replace("numbers.csv", "ledgers/n.csv")).drill.numbers) == 2
