"""From the report's source to HTML and PDF; knows no study."""
