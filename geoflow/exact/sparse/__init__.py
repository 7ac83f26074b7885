"""Exact arithmetic on values that are zero nearly everywhere, for many generators at once.

A dense batch of K fields of a network with N parameters is a K × N matrix. Where data, gates and cotangents are
one-hot, a field touches the parameters of one path only, and so do all values on the way: they are kept as entries
(generator, position, value). A product with a gate is computed only where the gate is not zero: what it multiplies
stays a recipe until someone asks for single entries (`values`).
"""
