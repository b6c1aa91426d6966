"""Text in a picture: where lines of it are (`lines`), and what they say (`letters`).

Both networks are PP-OCR's, for Latin and Chinese letters; what is around them is our own, as they
drop the spaces between words. `reading.py` puts it together. Runs in workers.
"""
