"""Rows made in parallel, held against each other, and counted."""
