"""The Few labels page: a map without colours, a handful of labels, and what they are worth."""
