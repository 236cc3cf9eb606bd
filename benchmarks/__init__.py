"""What it costs, beside its peer or its limit in the same run. `make bench` writes docs/benchmarks.md."""
