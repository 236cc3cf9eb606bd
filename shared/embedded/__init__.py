"""Servers that come as Python packages: for development and tests, where nothing else runs.

Each behind one small module, so that settings can name any other server instead.
"""
