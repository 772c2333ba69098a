"""Benchmarks: quality and speed on real posts, as ratios within one run. `python -m bench FOLDER`, or `make bench`."""
