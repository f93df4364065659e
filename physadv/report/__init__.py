"""Everything people read: pages, figures, tables, and numbers for other programs.

The page kit (`page`, `figures`) and `table`, one table with four renderers, know numbers and no run. On them
stand the report of one run (`run_page`, `run_figures`, `gallery`, `provenance`), the comparison of several
(`compare`, `compare_page`), what a terminal shows, the masking check's table and plot, and `export`. This
room reads runs and measurements; it computes no rate of its own, which `evaluation` does.
"""
