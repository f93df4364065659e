"""From what a classifier said before and after a transformation to rates with intervals, and the report.

This room works on plain records; it knows nothing of models, photos or the disk layout of a run.
"""
