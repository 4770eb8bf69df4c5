"""What could be pulled: series and tags, what their names mean, and how catalogs are merged."""
