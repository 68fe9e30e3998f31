"""Who may look at the pages and change the record, and how each proves who they are."""
