"""The SQL form of each row fact: an expression over the subject's row and bound values.

Every form is true or false, never NULL: it is `EXISTS`, `IS NULL`, or compares what cannot be NULL.
Periods are half open: a thing holds from `active_from` until just before `active_until`.
"""
