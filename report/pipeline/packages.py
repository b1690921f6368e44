"""The packages whose versions are part of the keys, by what a stage does with them."""

from __future__ import annotations

from report.engine.system.distributions import select_installed

DICOM = select_installed("pydicom", "python-gdcm")
IMAGES = ("numpy", "pandas", "pillow", "opencv-python-headless", *DICOM)
NETWORKS = ("numpy", "pandas", "keras", "tensorflow")
STATISTICS = ("numpy", "pandas", "scikit-learn", "scipy")
FIGURES = ("numpy", "pandas", "matplotlib", "seaborn", "pillow")
HTML = ("pypandoc_binary",)
PDF = ("pypandoc_binary", "weasyprint", "fonttools", "ziamath", "pango")
SOFTWARE = tuple(sorted({*IMAGES, *NETWORKS, *STATISTICS, *FIGURES, "jinja2", *HTML, *PDF} - {"pango"}))
"""All that a report is made with, as its appendix lists it."""
