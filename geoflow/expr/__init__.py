"""Expressions with static shapes: what the language is checked into, and what laws are written in."""
