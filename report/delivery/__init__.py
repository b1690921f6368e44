"""Hand finished results over, and check what was handed over."""
