"""Measurements against a plain baseline of the same run: `python -m tests.benchmarks [NAME] [SIZE]`.

A module in this folder with `run(size) -> list[Result]` is a benchmark; it says in its docstring what is compared.
`size` is None for the module's own. They use a database of their own, made for the run and dropped after it.
"""
