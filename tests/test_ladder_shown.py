"""How ladders look: on terminals of any width and encoding, and as a page."""

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from kirikae.cli import app
from reports.console import safe_console
from reports.html import report_text
from reports.judge import judge
from reports.ladder import Kind, Ladder
from reports.ladder_html import REPORTED, page_text
from reports.ladder_terminal import ASCII, UNICODE, print_choice, print_ladder, strokes
from reports.ladders import RunFolder
from reports.origin import Origin
from scenarios.calendar import Clock, Moment
from scenarios.evidence import Fate, Outcome
from scenarios.text import translator
from tests.ladders import answered, call, invite, made, message, played, takeover
from tests.made_evidence import drill, rehearsal

HOSTILE = '<script>alert(1)</script> & \x1b[2J "it\'s"'
LONG = "a-pair-with-a-very-long-name-indeed/1"


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    return RunFolder(played(tmp_path_factory.mktemp("run"), *takeover())).call("0")


def wide(tmp_path: Path, names: int) -> Ladder:
    """Return the ladder of a call through many machines, with long words and everything that can befall a message."""
    machines = ["carrier", *(f"{n}{LONG}" for n in range(names - 3)), "contact centre", "phone 1200"]
    legs = [
        invite(1000.0 * n, one, other, call_id=f"leg{n}", fate=Fate.LOST if n % 3 == 0 else Fate.SENT, heard=n % 3 != 1)
        for n, (one, other) in enumerate(pairwise(machines))
    ]
    across = invite(90_000.0, "phone 1200", "carrier", call_id="across")
    again = [across._replace(at=90_000.0 + n) for n in range(25)]
    refused = answered(across, 90_100.0, "480 Temporarily Unavailable And Many More Words")
    itself = invite(90_200.0, "contact centre", "contact centre", call_id="itself")
    clock = Clock.of(Moment(9 * 3600), "Asia/Tokyo")
    return RunFolder(made(tmp_path, *legs, *again, refused, itself, calls=(call(7),), clock=clock)).call("7")


def printed(ladder: Ladder, width: int = 80, encoding: str = "utf-8", language: str = "en", **how: object) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = safe_console(file)
    console.width = width
    print_ladder(console, ladder, translator(language), **how)  # type: ignore[arg-type] # as the caller means them
    file.flush()
    data = file.buffer.getvalue()
    return str(data.decode(encoding))


def test_a_takeover_is_drawn_as_it_was(ladder: Ladder) -> None:
    lines = printed(ladder, kind=Kind.DELAYED).splitlines()
    assert lines[0] == "A call that came through late: attempt 0, 03-1234-5678"
    assert lines[1] == "inbound, set up after 3.504 s, completed"
    assert any(re.search(r"^ 1  \+0\.000  10\.300  │─+✕│ +│ +│  INVITE$", line) for line in lines)
    assert any(re.search(r"^ 3  \+1\.500  11\.800  │─+✕│ +│ +│  INVITE \(3rd copy\)$", line) for line in lines)
    assert any(re.search(r"^ 4  \+3\.500  13\.800  │─+>│ +│  INVITE \(4th copy\)$", line) for line in lines)
    assert any(re.search(r"^ 6  \+3\.502  13\.802  │ +│ +│<─+│  200 OK \(INVITE\)$", line) for line in lines)
    assert any(re.search(r"^ +┊ +┊ +┊ +┊  nothing for 2s$", line) for line in lines)
    assert any("━━ fault lost (edge: active) ━━" in line for line in lines)
    assert any("edge/2 has taken over" in line for line in lines)
    assert lines[-1] == "───✕│  nobody hears it"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("names", [3, 7, 12])
def test_whatever_befalls_a_call_its_ladder_fits_into_80_columns(tmp_path: Path, names: int, language: str) -> None:
    text = printed(wide(tmp_path, names), language=language)
    rows = [line for line in text.splitlines() if re.match(r"^ *(\d+)?  +[+-]", line) or "┊" in line]
    assert len(rows) > 30
    if names < 12:  # which would need more than there is for their lifelines alone
        assert max(map(cell_len, rows)) <= 80
    assert "┊" in text


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "latin-1"])
def test_a_poor_terminal_gets_ascii(ladder: Ladder, encoding: str) -> None:
    text = printed(ladder, encoding=encoding)
    assert text.isascii()
    assert re.search(r"\|-+x\|", text)
    assert re.search(r"\|-+>\|", text)
    assert "?" not in text


def test_a_terminal_that_is_dumb_gets_ascii_too() -> None:
    console = Console(file=io.StringIO())
    console.file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert strokes(console, {"TERM": "dumb"}) is ASCII
    assert strokes(console, {"TERM": "xterm"}) is UNICODE


def test_all_messages_stand_below_where_that_is_asked_for(ladder: Ladder) -> None:
    text = printed(ladder, texts=True)
    assert text.count("  Call-ID: ") == len(ladder.messages) == 13
    assert "2  +0.500 s, from carrier to edge/1, 198.18.1.1:5060 > 10.1.1.2:5060 udp, 2nd copy, nobody hears it" in text
    assert text.index("  INVITE sip:") > text.index("13  +")


def test_nothing_in_a_message_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    records = [message(0.0, "carrier", "edge/1", f"INVITE sip:{HOSTILE.replace(' ', '')} SIP/2.0", call="7")]
    run = RunFolder(made(tmp_path, *records, calls=(call(7),)))
    assert "\x1b" not in printed(run.call("7"), texts=True)


def test_the_list_says_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    calls = (call(7), call(8, Outcome.DROPPED, 3.0))
    out = made(tmp_path / "out", invite(0.0), invite(3.0, key="8", call_id="b"), calls=calls)
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    print_choice(safe_console(file), RunFolder(out).telling(), "out", str)
    file.flush()
    text = file.buffer.getvalue().decode()
    assert re.search(r"out lost +attempt 8, 03-1234-5678 \(inbound, .*dropped \(edge/1 lost\)\) +1", text)
    assert "lost: 1; such as 8 (3s)" in text
    assert "Any of the 2 attempts" in text


# Pages


class Outline(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "path"):
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def text(self) -> str:
        return " ".join(" ".join(text for tag, text in self.texts if tag not in ("style", "script")).split())


def test_the_page_says_in_words_what_it_draws(ladder: Ladder) -> None:
    page = Outline(page_text(ladder, Kind.DELAYED, "en"))
    assert page.open == []
    assert len(page.of("details")) == len(page.of("summary")) == len(page.of("pre")) == 13
    assert len(page.of("script")) == 0
    assert all(svg.get("aria-hidden") == "true" for svg in page.of("svg") if "x" not in svg)
    text = page.text()
    assert "+0.500 10.800 INVITE from carrier to edge/1 2nd copy, nobody hears it" in text
    assert "+3.500 13.800 INVITE from carrier to edge/2 4th copy" in text
    assert "nothing for 2s" in text
    assert "edge/2 has taken over" in text
    heads = [attrs for attrs in page.of("path") if attrs["class"] == "head"]
    crosses = [attrs for attrs in page.of("path") if attrs["class"] == "cross"]
    assert (len(heads), len(crosses)) == (10, 3)


def test_arrows_lead_from_lifeline_to_lifeline(ladder: Ladder) -> None:
    page = Outline(page_text(ladder, None, "en"))
    arrows = [(attrs["x1"], attrs["x2"]) for attrs in page.of("line") if attrs["class"] == "arrow"]
    assert arrows[:5] == [("12.5%", "37.5%")] * 3 + [("12.5%", "62.5%"), ("62.5%", "87.5%")]
    assert arrows[5] == ("87.5%", "62.5%")


def test_what_a_message_has_in_it_stays_text(tmp_path: Path) -> None:
    record = message(0.0, "carrier", "edge/1", "INVITE sip:x SIP/2.0", headers=(f"Subject: {HOSTILE}",), call="7")
    run = RunFolder(made(tmp_path, record, calls=(call(7),)))
    page = Outline(page_text(run.call("7"), None, "en"))
    assert (page.of("script"), page.open) == ([], [])
    assert 'Subject: <script>alert(1)</script> & �[2J "it\'s"' in page.text()


def test_the_page_of_whatever_befalls_a_call_is_sound_in_both_languages(tmp_path: Path) -> None:
    whole = wide(tmp_path, 7)
    for language in ("en", "ja"):
        page = Outline(page_text(whole, Kind.LOST, language))
        assert page.open == []
        assert page.of("html") == [{"lang": language}]
    assert "INVITE の" not in page.text()
    assert "失われ" in page.text()


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = made(tmp_path / "out", invite(0.0), calls=(call(7),))
    done = CliRunner().invoke(app, ["ladder", str(out), "7", "--html", str(tmp_path / "a.html"), "--lang", "ja"])
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'a.html'}\n")
    assert '<html lang="ja">' in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_the_report_has_the_ladders_and_none_is_too_long(ladder: Ladder, tmp_path: Path) -> None:
    plan = drill(expect=["asr > 50%"])
    judged = judge(plan, [rehearsal(plan, 1)], engine="packets", seed=7)
    copies = [invite(float(n)) for n in range(REPORTED + 5)]
    long = RunFolder(made(tmp_path, *copies, calls=(call(7, Outcome.DROPPED),))).call("7")
    text = Outline(report_text(judged, Origin("plan.yaml"), {Kind.DELAYED: ladder, Kind.LOST: long})).text()
    assert "Calls, message by message" in text
    assert "A call that came through late: attempt 0, 03-1234-5678" in text
    assert "and 5 more messages" in text
    assert text.count("Call-ID: ") == 2 * (13 + REPORTED), "in both languages"
    assert "message by message" not in report_text(judged, Origin("plan.yaml"))
