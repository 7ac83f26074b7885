"""Texts and files that nobody would write, and what reads them: `python -m tests.trust.fuzz --inputs 100000 --seed 0`.

`grammar` writes sentences of geo.lark, `texts` damages models and bytes, `documents` damages JSON, `targets` are the
readers under test, `run` measures them in worker processes. What was found once is kept in tests/trust/corpus.
"""
