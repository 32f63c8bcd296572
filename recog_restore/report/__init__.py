"""Reports from results: one offline HTML file (``html``), tables for papers, scripts and the terminal (``tables``).

A report reads ``Result`` and nothing else: what it says can be checked against ``result.json``.
"""
