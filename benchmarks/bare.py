"""The workload as a bare loop over a heap: what Python itself costs, the yardstick from below."""

from heapq import heapify, heappop, heappush
from itertools import chain
from math import inf

from benchmarks.workload import SILENCE, Load, Tally
from sbc.decisions.timers import invite_offsets

OFFSETS = invite_offsets()


def bare(load: Load) -> Tally:
    """Play the load; the heap holds (when, caller, attempt).

    A negative attempt is the end of its call, a complemented caller a copy of an INVITE that had met silence.
    """
    at = [*chain.from_iterable(block.at for block in load.blocks), inf]
    talk = [*chain.from_iterable(block.talk for block in load.blocks)]
    tries = [*chain.from_iterable(block.tries for block in load.blocks)]
    pauses = [*chain.from_iterable(block.again for block in load.blocks)]
    ports, takeover = load.workload.ports, load.takeover
    heap: list[tuple[float, int, int]] = []
    newcomer, arrival = 0, at[0]
    attempts = blocked = lost = used = 0
    serving = True
    for until in sorted(moment for moment in (load.death, takeover, load.workload.lasts) if moment < inf):
        while True:
            if heap and heap[0][0] < arrival:
                if heap[0][0] >= until:
                    break
                now, caller, attempt = heappop(heap)
                if attempt < 0:
                    used -= 1
                    continue
            else:
                if arrival >= until:
                    break
                now, caller, attempt = arrival, newcomer, 1
                newcomer += 1
                arrival = at[newcomer]
            if caller < 0:
                caller = ~caller
            else:
                attempts += 1
            if used < ports and serving:
                used += 1
                heappush(heap, (now + talk[caller], caller, -attempt))
            elif serving:
                blocked += 1
                if attempt < tries[caller]:
                    heappush(heap, (now + pauses[caller][attempt - 1], caller, attempt + 1))
            else:
                copy = next(now + offset for offset in OFFSETS if now + offset >= takeover)
                heappush(heap, (copy, ~caller, attempt))
        if until == load.death:
            serving = False
            ups = [entry for entry in heap if entry[2] < 0]
            heap = [entry for entry in heap if entry[2] > 0]
            lost, used = len(ups), 0
            heap += [
                (until + SILENCE + pauses[caller][-attempt - 1], caller, 1 - attempt)
                for _, caller, attempt in ups
                if -attempt < tries[caller]
            ]
            heapify(heap)
        elif until == takeover:
            serving = True
    return Tally(attempts, blocked, lost)
