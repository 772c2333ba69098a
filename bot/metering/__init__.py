"""Metrics: what they are (`table`), what is counted for them (`since`), and the loop that looks (`metering`)."""
