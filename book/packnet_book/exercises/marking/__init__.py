"""Marking of handed-in notebooks by the exercises' own checks.

`python -m packnet_book.exercises.marking NOTEBOOK …` runs what students
have written, in processes of its own with limits, and writes a report for
each notebook and one table for the class. Imports run one way: `source`
(code as statements) → `asked` (what a chapter asks for) and `handed_in`
(what a student has written) → `trial` (one attempt, run and judged) →
`workers` (its processes and limits) → `marked` → `report` → `__main__`.
"""
