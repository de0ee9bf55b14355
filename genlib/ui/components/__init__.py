"""One module for each JavaScript component, and what the browser asks the server for."""
