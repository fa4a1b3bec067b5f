"""Measurements, as ratios against a peer in the same run. `make bench` runs all; `make bench ARGS=imports` one."""
