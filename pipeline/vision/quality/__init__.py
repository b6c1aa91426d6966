"""How good a picture is: measured on the pixels a screen shows, explained in sentences.

Read `measures.py` (numbers from pixels), `senses.py` (from numbers to "how likely damaged"),
`score.py` (from there to one score with reasons) and `ranking.py` (which of two is better).
"""
