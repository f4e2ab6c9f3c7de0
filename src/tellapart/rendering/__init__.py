"""From a finished document to something to look at.

This room computes nothing clinical: it prints a `tellapart.workup/1` or `tellapart.report/1` that is already complete.
`words` holds every sentence that pages and terminal share, so that one number reads the same everywhere. The modules
are imported by name (`tellapart.rendering.terminal`): the terminal needs no template engine and starts faster without.
"""
