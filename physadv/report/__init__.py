"""Everything that people read of a run: the page, its figures and tables, the terminal, exports, comparisons.

This room reads what `pipeline` measured and `evaluation` computed; it measures nothing itself.
"""
