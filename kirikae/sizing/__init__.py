"""What `kirikae size` is made of: versions of a drill, their runs, the search, and what stands beside its answer.

How a search goes without any drill is in :mod:`sim.sizing` and :mod:`sim.combining`; what came out in `reports`.
"""
