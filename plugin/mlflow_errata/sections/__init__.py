"""Sections: the words for each diagnosis, as blocks."""
