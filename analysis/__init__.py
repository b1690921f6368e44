"""The science: data, models, evaluation and figures. Never imports ``report``."""
