"""What one site has of another's data: replication, the day's changes, and the consoles that changes are made at."""

from typing import Annotated

from pydantic import Field

from scenarios.fields import Duration, Flag, Line, LongerThanZero, Name, Rate
from scenarios.model.part import Part

OUTSIDE = "outside"
"""What a console needs that is reached from anywhere."""


class Data(Part):
    """One class of data, and how it comes to the other site."""

    every: Duration | None = None
    """Time between two replications; 0 is real time (Z5-Z7)."""
    first: Duration | None = None
    """When the first replication of the run is, at a time of day for example; without it drawn at random from 0 to
    `every`. There were others before the run, in the same rhythm."""
    loaded_every: LongerThanZero | None = None
    """Time between two loads: what has been replicated counts at the other site from the next load on (Z8). Without it
    at once."""
    loaded_first: Duration | None = None
    """When the first load of the run is; without it drawn at random from 0 to `loaded_every`."""
    excluded: Flag = False
    """Whether it is not replicated at all, and each site has its own alone (Z9)."""
    holds: list[Name] = []
    """What belongs to it, for people; a system lists its own (Z10, Z11)."""


class Sync(Part):
    """Replication from one site to another; nothing ever comes back (Z42, N10).

    It stops when the other site is activated (Z31), or when somebody changes something there (Z44), which nobody is
    told; it goes on by `resume_sync`.
    """

    from_: Annotated[Name, Field(alias="from")]
    """The site whose data are replicated, where changes belong."""
    to: Name
    """The site that gets them."""
    data: dict[Name, Data] = {}
    """Classes of data by name. A plan whose `system` is known has that system's own without being asked, and may state
    some of them otherwise."""


class Change(Part):
    """Something that people enter at one site and expect at the other: a phone, an announcement, an allowed address."""

    name: Name
    """What steps, reports and results call it."""
    data: Name
    """The class of data that it belongs to."""
    at: Duration | None = None
    """When it is made."""
    arrivals: Rate | None = None
    """Instead of one moment: changes like this per time, a Poisson process. Without either, steps make it (`enter`)."""
    made_at: Name | None = None
    """The site where; the one that data are replicated from, unless said otherwise. None is made at a site that is
    lost. One made at the site that gets replicas, while they come, stops them (Z44)."""
    allows: Name | None = None
    """An office whose address it allows: no phone of that office can register at a site that does not have this change,
    or another that allows it (403, Z7)."""


class Console(Part):
    """Where people sign in to change something; a step that `uses` it cannot begin while it is out of reach (Z38)."""

    address: Line | None = None
    """Where it is found."""
    site: Name | None = None
    """The site that is changed by it; without one it is somebody else's, as a carrier's is."""
    needs: Name | Annotated[list[Name], Field(min_length=1)] = OUTSIDE
    """Sites and offices without which it cannot be used: where it stands, or where its login is kept; `outside` for
    none."""

    @property
    def places(self) -> tuple[str, ...]:
        """The sites and offices named in ``needs``."""
        names = [self.needs] if isinstance(self.needs, str) else self.needs
        return tuple(name for name in names if name != OUTSIDE)
