"""The one list of stages of a study; the only link between the report generator and the analysis."""
