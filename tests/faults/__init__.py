"""Every fault of the menu, as a client sees it that does not look out for it."""
