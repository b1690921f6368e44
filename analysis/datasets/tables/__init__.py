"""Tables of labels: parsed, searched for, and joined to images."""
