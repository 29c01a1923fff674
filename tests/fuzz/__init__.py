"""Damaged and made-up files for every reader: `python -m tests.fuzz --cases 100000`.

A reader may take a file or refuse it with a `ToonifyError` in one printable sentence. Anything else
is a fault: another exception, a crash, more than some seconds, more than some memory.
"""
