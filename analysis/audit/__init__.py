"""What the results rest on: the data looked through for what lets a network answer without looking at disease.

Each module is a topic. Stages write tables and facts and no sentence; a finding says that two things go together, never
that one is the cause of a result.
"""
