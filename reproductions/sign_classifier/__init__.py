"""The bundled classifier of traffic signs, trained again from its data."""
