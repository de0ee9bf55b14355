"""Turn a folder or a zip of pictures into a dataset."""
