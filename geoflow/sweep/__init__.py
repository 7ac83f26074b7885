"""Families of models: every member counted, on one machine or many, and a formula for the counts."""
