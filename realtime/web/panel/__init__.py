"""The panel of a running filter, and the overlay for streaming software."""
