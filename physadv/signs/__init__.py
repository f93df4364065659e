"""The road-sign wing: drawing, training the bundled classifier, true-size paper, and the stop-sign study."""
