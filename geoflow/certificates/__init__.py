"""Certificates that stand alone: a model written out, and all that its count rests on (docs/certificates.md)."""
