"""The side-by-side measurements of `make bench`: one module per thing that is measured."""
