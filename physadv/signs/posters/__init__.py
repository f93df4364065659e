"""Signs on paper at true size or in miniature: posters in tiles, sticker sheets and their template."""
