"""Benchmarks: the product beside what a careful person would write by hand."""
