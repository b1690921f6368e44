"""Facts for the sections of the document: each module has those of the template of its name."""
