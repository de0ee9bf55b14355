"""Training as a generator of events: build a model, take steps, save, resume."""
