"""A live run on real pairs: what has to be so before it, and what has to be so again after it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kirikae.live_banner import banner
from kirikae.live_options import see_that_it_may_begin
from reports.console import safe_console
from sbc.decisions.permission import Permission
from sbc.live.asking import problem_of
from sbc.live.gear import real_gear
from sbc.live.locks import state_folder
from scenarios.model import Drill
from sim.live.aim import Aim


@contextmanager
def aimed_at(drill: Drill, allowed: Permission, name: str) -> Iterator[Aim | None]:
    """Say what the run will do, and have its real pairs for as long as it takes; None where all are emulated.

    Raises :class:`~kirikae.options.OptionError` with all that speaks against it, and what
    :func:`sbc.live.gear.real_gear` raises.
    """
    if not drill.targets:
        yield None
        return
    see_that_it_may_begin(drill, allowed)
    _say(banner(drill, allowed))
    holder = f"kirikae run {name} (process {os.getpid()})"
    folder = state_folder(os.environ)
    with real_gear(drill, healthy=problem_of, folder=folder, holder=holder, say=_say) as gear:
        yield Aim(allowed, gear)


def _say(text: str) -> None:
    """Tell the person who has started the run, whatever becomes of its results."""
    safe_console(sys.stderr).print(text, markup=False, highlight=False, soft_wrap=True)
