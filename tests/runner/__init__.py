"""Behind `make test` and `make check`: what the suites need, the suites themselves, and the report."""
