"""Other city systems by Open311 GeoReport v2: what they answer, read with care (`answers`), one request each (`client`)."""
