"""What the document is told of a study: facts for its words, which stand in ``templates/``.

``sections/data.py`` hands numbers, cases and rows to ``templates/sections/data.qmd.j2``, as ``facts.data``; sentences that
have cases stand in ``templates/sentences/data.qmd.j2``, tables that are long or stand in several sections in
``templates/floats/``.
"""
