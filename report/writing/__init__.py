"""Facts for the document, one module for each section of the same name as its template."""
