"""Long history: cycles of closed months in Parquet files beside the record, asked like the rest."""
