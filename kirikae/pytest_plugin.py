"""The pytest plugin: drills are test files, and what they expect are their tests.

It runs in the user's process, whose packages may be called as our rooms are, and so imports none of them: drills are
checked and played by `kirikae` as a process of its own, once for all tests of a file and all workers of pytest-xdist.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import pytest

from kirikae.isolated import OWN, Answers, Json, NotDoneError, ask

SUFFIX = ".kirikae.yaml"
PLAN = "the plan stands"
"""Name of the test that holds a plan to its rules."""
_OPTIONS = {
    "engine": ("ENGINE", "Engine that plays drills, such as packets; by default the one of `kirikae run`."),
    "replications": ("N", "Runs of each drill with different draws; by default what the drill says."),
    "out": ("DIR", "Folder for results, one below it for each drill; by default in pytest's temporary folder."),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kirikae-engine` and its like, each of which the ini file may say as well, and what only that may say."""
    group = parser.getgroup("kirikae", "failover drills")
    for name, (metavar, told) in _OPTIONS.items():
        group.addoption(f"--kirikae-{name}", metavar=metavar, help=told)
        parser.addini(f"kirikae_{name}", told, default=None)
    parser.addini("kirikae_files", f"Globs of drills that are not called *{SUFFIX}.", type="args", default=[])
    parser.addini("kirikae_command", "The kirikae to run; by default the plugin's own.", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of our tests."""
    config.addinivalue_line("markers", "kirikae: a test of a failover drill; drills have it by themselves")
    config.stash[_REHEARSALS] = Rehearsals(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take drills for test files."""
    wanted = parent.config.stash[_REHEARSALS].wants(file_path)
    return DrillFile.from_parent(parent, path=file_path) if wanted else None


class Rehearsals:
    """What `kirikae` says of the drills of a session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._here = config.invocation_params.dir
        self._command = _from(config.rootpath, config.getini("kirikae_command")) or OWN
        self._checked: dict[str, Json] = {}

    def wants(self, path: Path) -> bool:
        """Whether a file is a drill, by its name."""
        return path.name.endswith(SUFFIX) or any(path.match(glob) for glob in self._config.getini("kirikae_files"))

    def checked(self, path: Path) -> Json:
        """Return what `kirikae lint` says of a drill; raises :class:`~kirikae.isolated.NotDoneError`.

        All drills that pytest may come to are checked with the first, as starting a process takes a second or two.
        """
        name = self.name(path)
        if name not in self._checked:
            names = sorted({name, *map(self.name, self._ahead())} - self._checked.keys())
            words = ["lint", "--json", "-", "--quiet", "--", *names]
            told = self._answers.once("\n".join(words), lambda: ask(self._command, words, self._here)).must
            if any("expectations" not in file for file in told["files"]):
                raise NotDoneError(f"{self._command[0]}: this kirikae is older than its pytest plugin")
            self._checked |= zip(names, told["files"], strict=True)
        return self._checked[name]

    def played(self, path: Path, nodeid: str) -> Json:
        """Return the result of a drill; raises :class:`~kirikae.isolated.NotDoneError`."""
        out = self.folder(nodeid)
        words = ["run", "--json", "-", "--quiet", "--out", str(out)]
        for option in ("engine", "replications"):
            value = self._setting(option)
            words += [f"--{option}", value] if value else []
        if self._colleagues > 1:
            words += ["--workers", str(max(1, (os.cpu_count() or 1) // self._colleagues))]
        words += ["--", self.name(path)]
        return self._answers.once("\n".join(words), lambda: ask(self._command, words, self._here)).must

    def folder(self, nodeid: str) -> Path:
        """Return the folder of a drill's results."""
        option, ini = self._config.getoption("kirikae_out"), self._config.getini("kirikae_out")
        base = self._here / option if option else self._config.rootpath / ini if ini else self._kept
        return base.joinpath(*(part for part in Path(nodeid.removesuffix(SUFFIX)).parts if part not in ("/", "..")))

    def name(self, path: Path) -> str:
        """Return a path as people read it: from the folder that pytest was started in, if it is below."""
        path = Path(os.path.abspath(path))  # ../drills is below by its name alone
        return str(path.relative_to(self._here)) if path.is_relative_to(self._here) else str(path)

    def _setting(self, option: str) -> str | None:
        value: str | None = self._config.getoption(f"kirikae_{option}") or self._config.getini(f"kirikae_{option}")
        return value

    @cached_property
    def _answers(self) -> Answers:
        return Answers(self._kept / ".answers", shared=self._colleagues > 1)

    @cached_property
    def _colleagues(self) -> int:
        """How many processes run these tests."""
        return int(getattr(self._config, "workerinput", {}).get("workercount", 1))

    @cached_property
    def _kept(self) -> Path:
        """A folder of this session; workers of pytest-xdist have their own temporary folders in that of the session."""
        temporary: Path = self._config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # no public way
        return (temporary.parent if hasattr(self._config, "workerinput") else temporary) / "kirikae"

    def _ahead(self) -> Iterator[Path]:
        """Yield the drills that pytest was asked for, by name or with a folder; it may still leave out some of them."""
        left_out = self._config.getini("norecursedirs")
        for asked in self._config.args:
            start = self._here / asked.partition("::")[0]
            if start.is_file() and self.wants(start):
                yield start
            for folder, below, files in os.walk(start):
                inner = [] if "pyvenv.cfg" in files else below
                below[:] = [name for name in inner if not any(fnmatch(name, glob) for glob in left_out)]
                yield from (path for name in files if self.wants(path := Path(folder, name)))


_REHEARSALS = pytest.StashKey[Rehearsals]()


class DrillFile(pytest.File):
    """A drill."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("kirikae")
        if self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(self.nodeid))  # with --dist loadgroup no worker waits for another

    @property
    def rehearsals(self) -> Rehearsals:
        """What `kirikae` says in this session."""
        return self.config.stash[_REHEARSALS]

    @cached_property
    def checked(self) -> Json:
        """What `kirikae lint` says of it."""
        return self.rehearsals.checked(self.path)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield its tests; a file that is no drill is an error that says what is wrong with it."""
        try:
            checked = self.checked
        except NotDoneError as error:
            raise self.CollectError(str(error)) from None
        if checked["expected_verdict"] is None:
            raise self.CollectError("\n".join(_lines(checked["findings"])))
        yield PlanTest.from_parent(self, name=PLAN)
        seen = Counter[str]()
        for place, expectation in enumerate(checked["expectations"]):
            name = " ".join(expectation["text"].split())
            seen[name] += 1
            name += f" ({seen[name]})" if seen[name] > 1 else ""
            yield ExpectationTest.from_parent(self, name=name, place=place, line=expectation["line"])
        if checked["expected_verdict"] != "passed":
            yield VerdictTest.from_parent(self, name=f"the verdict is {checked['expected_verdict']}")


class DrillTest(pytest.Item):
    """One thing that must be so of a drill."""

    parent: DrillFile

    def __init__(self, line: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._line = line

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where it stands."""
        return self.path, self._line - 1, f"{self.path.name}: {self.name}"

    def played(self) -> Json:
        """Return the result of the drill; the test fails where there is none."""
        errors = sum(finding["severity"] == "error" for finding in self.parent.checked["findings"])
        if errors:
            self.fail(f"nothing was run: the plan has {_number_of(errors, 'error')}; see '{PLAN}'")
        try:
            result = self.parent.rehearsals.played(self.path, self.parent.nodeid)
        except NotDoneError as error:
            self.fail(f"nothing was judged: {error}")
        self.user_properties.append(("kirikae_report", self.report))
        return result

    @property
    def report(self) -> str:
        """The page that shows how the drill came out."""
        return self.parent.rehearsals.name(self.parent.rehearsals.folder(self.parent.nodeid) / "report.html")

    def fail(self, why: str, result: Json | None = None) -> NoReturn:
        """End the test: it did not pass."""
        lines = [why]
        if result is not None:
            runs = _number_of(result["replications"]["done"], "replication")
            lines += ["", *result["story"], ""]
            lines += [f"played: {result['engine']} engine, {runs}, seed {result['seed']}", f"report: {self.report}"]
        pytest.fail("\n".join(lines), pytrace=False)


class PlanTest(DrillTest):
    """That no plan check finds an error."""

    def runtest(self) -> None:
        """Look at what the checks say; warnings and notes are told with it."""
        findings = self.parent.checked["findings"]
        errors = [finding for finding in findings if finding["severity"] == "error"]
        if more := [finding for finding in findings if finding not in errors]:
            self.add_report_section("call", "plan checks", "\n".join(_lines(more)))
        if errors:
            self.fail("\n".join(_lines(errors)))


class ExpectationTest(DrillTest):
    """That an expectation holds, in a run that is evidence."""

    def __init__(self, place: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._place = place

    def runtest(self) -> None:
        """Play the drill, unless another test has; what fails in a drill that is meant to is an expected failure."""
        result = self.played()
        judgement = result["expectations"][self._place]
        verdict, why = judgement["verdict"], f"{judgement['shown']}: {judgement['reason']}"
        if verdict == "passed" and result["no_evidence"]:
            verdict, why = "inconclusive", "; ".join(result["no_evidence"])
        self.user_properties.append(("kirikae_value", judgement["shown"]))
        if verdict == "passed":
            return
        if result["exit_code"] == 0:
            pytest.xfail(f"as this drill is meant to: {verdict}, {why}")
        self.fail(f"{verdict}, {why}", result)


class VerdictTest(DrillTest):
    """That a drill which is not meant to pass comes out as it is meant to."""

    def runtest(self) -> None:
        """Play the drill, unless another test has."""
        result = self.played()
        if result["exit_code"] != 0:
            self.fail(f"the verdict is {result['verdict']}", result)


def _from(root: Path, command: list[str]) -> list[str]:
    """Return a command whose program, where it is a path, is meant from a folder."""
    return [str(root / command[0]), *command[1:]] if command and os.sep in command[0] else command


def _number_of(count: int, one: str) -> str:
    return f"{count} {one}{'s' if count != 1 else ''}"


def _lines(findings: Iterable[Json]) -> Iterator[str]:
    """Yield each finding as a line: where, what, what was found, what is allowed."""
    for finding in findings:
        place = finding["file"] if finding["line"] is None else "{file}:{line}:{column}".format(**finding)
        sides = [("found", finding["found"]), ("allowed", finding["remedy"])]
        told = "; ".join(f"{word} {text}" for word, text in sides if text)
        parts = [place, finding["severity"], finding["path"], finding["message"] + (f" ({told})" if told else "")]
        yield f"{': '.join(part for part in parts if part)} [{' '.join((finding['id'], *finding['rows']))}]"
