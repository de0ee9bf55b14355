"""The command line: ``genlib train``, ``evaluate``, ``list``, ``maps``."""
