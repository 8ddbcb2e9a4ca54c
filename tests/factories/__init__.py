"""Rows for tests. Every factory enters the scope of the row's client by itself, so order and context do not matter."""
