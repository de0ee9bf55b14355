"""The Train and Runs pages."""
