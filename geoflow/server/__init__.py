"""The language server: what an editor shows of a `.geo` file while it is written.

Everything but the laws comes from the front end alone, which knows neither JAX nor SymPy; the laws
come from another process, after a file is saved.
"""
