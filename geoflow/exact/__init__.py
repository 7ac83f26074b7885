"""One interpreter of JAX programs, several exact arithmetics: prime fields, rationals, polynomials over Q."""
