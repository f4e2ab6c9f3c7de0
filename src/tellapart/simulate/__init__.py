"""Simulated cohorts with known truth: persons, what is on their record, and the records as FHIR and OMOP.

The room makes sources; it reads none and knows nothing of findings, criteria or the differential. Rates are those of
the evidence tables, so that what is tested is the rest: dependence between findings, what was never asked or ordered,
and everything between a value in some unit and a call.
"""
