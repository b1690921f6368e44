"""One module for each kind of figure, drawn from tables and never from models.

`report.pipeline.figures` says which module draws which figure of the report. What they share is in `style` (colours, sizes,
keys, saving), `typesetting` (fonts and lines), `wording` (numbers in words), `class_labels`, `heatmaps`, `subjects` (what
a figure is about) and `score_curves_grid`.
"""
