"""One eye: where it is, the colour of its iris, and how it is painted."""
