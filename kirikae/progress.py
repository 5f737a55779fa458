"""Progress of long work: a bar with the time left on a terminal, silence elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def progress(console: Console, what: str, total: int, begun: int = 0) -> Iterator[Callable[[float], None]]:
    """Show how many of ``total`` are done, ``begun`` of them before; the function yielded takes that count."""
    if not console.is_interactive:
        yield lambda count: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, completed=begun)
        yield lambda count: bar.update(task, completed=int(count))
