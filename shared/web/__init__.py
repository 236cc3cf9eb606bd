"""Plumbing of every HTTP interface."""
