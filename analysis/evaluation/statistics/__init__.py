"""Numbers from arrays: measures, curves, intervals, tests; nothing here reads or writes a file."""
