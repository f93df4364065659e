"""Signs on paper at true size or in miniature: posters in tiles, sticker sheets and their template."""

MINIATURE_MM = 150.0
"""Side of a sign's face on a desk-top miniature."""
TRUE_SIZE_NOTICE = "robustness test on your own sign, never on a public road"
"""Notice on every page of a sign of true size, outside of its cut lines."""
