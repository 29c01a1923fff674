"""What changes while pictures run: engines, people, the source, and all that the panel asks for."""
