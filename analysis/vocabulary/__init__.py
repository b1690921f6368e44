"""One vocabulary of results, each word declared once: measures, splits and analyses, reference classifiers.

Stages name their results by these ids; tables, figures, verdicts and text take their words from here. The modules need
the standard library alone, so that the command line can import them. Training does not import them: a word that is
changed here must not train anything again.
"""
