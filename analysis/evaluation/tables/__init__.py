"""What statistics are written as: entries of ``results.json`` and rows of CSV files."""
