"""The folder of a run: all its files, and the recorders that write those of one replication as it is played."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from reports import calls_csv, files, replications
from reports.calls_csv import CallsCsv
from reports.html import report_text
from reports.journal import JournalFile
from reports.judge import Judged
from reports.junit import junit_text
from reports.ladder import Kind, Ladder
from reports.origin import Origin
from reports.pcap import PcapFile
from reports.result import result_text
from reports.wire import WireFile
from scenarios.calendar import Clock
from scenarios.evidence import CallRecord, JournalEntry, Recorder, Sample, WireRecord, WireRecorder
from scenarios.text import LANGUAGES

CALLS, JOURNAL, PACKETS, WIRE = "calls.csv", "journal.jsonl", "packets.pcap", "wire.jsonl"
REPORT, RESULT = "report.html", "result.json"
CAPTURED = (PACKETS, WIRE)
"""The files of one replication with messages that are about these."""
DETAIL = (CALLS, JOURNAL, *CAPTURED)
"""The files of one replication."""


class Tee:
    """A recorder that hands everything on to several."""

    def __init__(self, *takers: Recorder) -> None:
        self._takers = takers

    def calls(self, records: Sequence[CallRecord]) -> None:
        """Hand on attempts that have ended."""
        for taker in self._takers:
            taker.calls(records)

    def entry(self, entry: JournalEntry) -> None:
        """Hand on one journal entry."""
        for taker in self._takers:
            taker.entry(entry)

    def sample(self, sample: Sample) -> None:
        """Hand on one sample."""
        for taker in self._takers:
            taker.sample(sample)


class WireTee:
    """A wire recorder that hands everything on to several."""

    def __init__(self, *takers: WireRecorder) -> None:
        self._takers = takers

    def wire(self, record: WireRecord) -> None:
        """Hand on one datagram."""
        for taker in self._takers:
            taker.wire(record)


@contextmanager
def detail_files(out: Path, clock: Clock | None = None) -> Iterator[Recorder]:
    """Yield the recorder that writes `calls.csv` and `journal.jsonl` of one replication into ``out``.

    ``clock`` shows the time of day of journal entries. The files appear when the block ends well.
    Raises :class:`~reports.files.ReportError`.
    """
    files.folder(out)
    with (
        files.whole_file(out / CALLS, calls_csv.ENCODING) as calls,
        files.whole_file(out / JOURNAL) as journal,
    ):
        yield Tee(CallsCsv(calls), JournalFile(journal, clock))


@contextmanager
def capture_file(out: Path, clock: Clock | None = None) -> Iterator[WireRecorder]:
    """Yield the wire recorder that writes `packets.pcap` and `wire.jsonl` of one replication into ``out``.

    ``clock``: when the run begins. The files appear when the block ends well. Raises
    :class:`~reports.files.ReportError`.
    """
    files.folder(out)
    with files.whole_bytes(out / PACKETS) as file, files.whole_file(out / WIRE) as about:
        yield WireTee(PcapFile(file, clock), WireFile(about, clock))


def write_all(
    out: Path,
    judged: Judged,
    origin: Origin,
    numbers: Sequence[int] | None = None,
    *,
    language: str = LANGUAGES[0],
) -> None:
    """Write `result.json`, `replications.json`, `junit.xml` and `report.html` into ``out``.

    ``numbers`` of the replications where these are not the first ones; ``language``: the one that the report is shown
    in first. Raises :class:`~reports.files.ReportError`.
    """
    files.folder(out)
    for name, text in (
        (RESULT, result_text(judged, origin)),
        (replications.FILE, replications.replications_text(judged, origin, numbers)),
        ("junit.xml", junit_text(judged, origin)),
    ):
        files.write_whole(out / name, text)
    write_report(out, judged, origin, language=language)


def write_report(
    out: Path,
    judged: Judged,
    origin: Origin,
    ladders: Mapping[Kind, Ladder] | None = None,
    *,
    language: str = LANGUAGES[0],
) -> None:
    """Write `report.html` into ``out``, with ladders where there are any.

    ``language``: the one that is shown first. Raises :class:`~reports.files.ReportError`.
    """
    files.write_whole(out / REPORT, report_text(judged, origin, ladders, language))
