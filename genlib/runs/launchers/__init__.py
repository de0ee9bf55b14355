"""Launchers, a module each: see genlib/runs/launch.py."""
