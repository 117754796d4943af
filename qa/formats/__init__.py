"""Readers of file formats: each a function from a file's bytes to its text and what the format says of it.

`limits` says how much of a file is read, `extraction` puts texts together, `isolation` runs the readers of formats that
are not plain text in a process of their own. The table of all readers is `qa.documents.READERS`.
"""
